import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  changedInput,
  describeChange,
  parseRecordedInput,
  recordInputs,
  recordedInputKey,
} from "./recorded-input.js";
import { memoryDir } from "./memory-dir.js";

let dir: string;
let env: Record<string, string>;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "slipway-recorded-"));
  env = { BUILDX_CONFIG: path.join(dir, "buildx") };
});

afterEach(() => rm(dir, { recursive: true, force: true }));

type Files = Readonly<Record<string, string>>;

const inputsOf = (files: Files) => ({ attrs: {}, locals: new Map([["context", memoryDir(files)]]) });

async function record(files: Files) {
  const attrs = await recordInputs(inputsOf(files), { env });
  return new Map(
    Object.entries(attrs).map(([key, value]) => {
      const input = parseRecordedInput(value);
      if (!input) throw new Error(value);
      return [recordedInputKey(key) ?? "", input] as const;
    }),
  );
}

async function changeOf(before: Files, after: Files) {
  const changed = await changedInput(inputsOf(after), await record(before), { env });
  return changed && describeChange(changed);
}

const files = { a: "1", "b/c": "2", d: "3" };

test("equal directories have equal records; of others the first entry that differs is named", async () => {
  expect(await changeOf(files, files)).toBeUndefined();
  expect(await changeOf(files, { ...files, "b/c": "x", d: "x" })).toEqual({
    text: "b/c has changed",
    file: "b/c",
  });
  expect(await changeOf(files, { ...files, "b/b": "new" })).toEqual({ text: "b/b is new", file: "b/b" });
  const { d: _, ...less } = files;
  expect(await changeOf(files, less)).toEqual({ text: "a file that came behind b/c is gone" });
  expect(await changeOf({ a: "1" }, {})).toEqual({ text: "a file is gone" });
});

test("a record holds no name and is of a bounded size; of a large directory it names the first that may differ", async () => {
  const many = Object.fromEntries(Array.from({ length: 4400 }, (_, at) => [`secret-name-${at}`, `${at}`]));
  const attrs = await recordInputs(inputsOf(many), { env });
  const text = JSON.stringify(attrs);
  expect(text.length).toBeLessThan(50_000);
  expect(text).not.toContain("secret");
  const { file = "", text: words = "" } = (await changeOf(many, { ...many, "secret-name-4000": "x" })) ?? {};
  expect(words).toMatch(/is the first that may have changed$/);
  expect(Object.keys(many)).toContain(file);
  const { "secret-name-7": _, ...less } = many;
  expect(await changeOf(many, less)).toBeDefined();
});

test("what ignore files leave out counts for nothing", async () => {
  const ignoring = { ...files, ".dockerignore": "d\n.dockerignore\n" };
  expect(await changeOf(ignoring, { ...ignoring, d: "x" })).toBeUndefined();
});

test("what is no record is none", () => {
  for (const text of ["", "sha256:1", `sha256:${"a".repeat(64)};other:x`, `sha512:${"a".repeat(128)}`])
    expect(parseRecordedInput(text), text).toBeUndefined();
  expect(recordedInputKey("build-arg:x")).toBeUndefined();
});

test("a directory on disk is recorded as one in memory is", async () => {
  const at = path.join(dir, "context");
  await mkdir(path.join(at, "b"), { recursive: true });
  for (const [name, content] of Object.entries(files))
    await writeFile(path.join(at, name), content, { mode: 0o644 });
  const onDisk = { attrs: {}, locals: new Map([["context", { type: "directory" as const, path: at }]]) };
  expect(await changedInput(onDisk, await record(files), { env })).toBeUndefined();
});
