import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FakeResult } from "../../../test/support/fake-result.js";
import { files } from "../contexts.js";
import { openResult } from "../open-result.js";
import type { OpenResult } from "./open-result.js";

let fake: FakeResult;
let result: OpenResult;
let dir: string;

const directory = 0x8000_0000 + 0o755;
const entry = (name: string, mode: number, size = 0) => ({
  path: Buffer.from(name),
  mode,
  size: BigInt(size),
  modTime: 0n,
});

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-copy-"));
  fake = await FakeResult.open();
  result = await openResult({
    builder: "b",
    env: fake.builder.env,
    context: files({ Dockerfile: "FROM scratch\n" }),
  });
}, 60_000); // all that builds is loaded here
beforeEach(() => {
  fake.script = { statFile: () => ({ stat: entry("top", directory) }) };
});
afterAll(async () => {
  await result?.close();
  await fake?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

test("a daemon that names what is outside leads nowhere", async () => {
  for (const name of ["..", "."]) {
    fake.script.readDir = () => ({ entries: [entry(name, directory)] });
    await expect(result.copyOut("/top", join(dir, "names"))).rejects.toMatchObject({ code: "BUILDER_CLAIM" });
  }
  // Only the last part of a name counts.
  fake.script.readDir = ({ DirPath }) => ({
    entries: DirPath === "/top" ? [entry("../../evil", 0o644, 1)] : [],
  });
  fake.script.readFile = () => ({ Data: Buffer.from("x") });
  expect(await result.copyOut("/top", join(dir, "names"))).toBe(1);
  expect(await readdir(join(dir, "names"))).toEqual(["evil"]);
});

test("directories without an end, and files of another size than was told, are refused, with nothing half-written", async () => {
  fake.script.readDir = () => ({ entries: [entry("a".repeat(200), directory)] });
  await expect(result.copyOut("/top", join(dir, "deep"))).rejects.toMatchObject({ code: "BUILDER_CLAIM" });
  const dest = join(dir, "sizes");
  for (const [size, data] of [
    [5, "much more than that"],
    [50, "less"],
  ] as const) {
    fake.script.readDir = () => ({ entries: [entry("file", 0o644, size)] });
    fake.script.readFile = () => ({ Data: Buffer.from(data) });
    await expect(result.copyOut("/top", dest)).rejects.toMatchObject({ code: "BUILDER_CLAIM" });
    expect(await readdir(dest)).toEqual([]);
  }
});

test("a single file goes to its name, or into a directory; what is there stays when it fails", async () => {
  fake.script = {
    statFile: () => ({ stat: entry("one", 0o600, 3) }),
    readFile: () => ({ Data: Buffer.from("new") }),
  };
  await writeFile(join(dir, "one"), "old");
  fake.script.readFile = () => ({ Data: Buffer.from("ne") });
  await expect(result.copyOut("/one", join(dir, "one"))).rejects.toMatchObject({ code: "BUILDER_CLAIM" });
  expect(await readFile(join(dir, "one"), "utf8")).toBe("old");
  fake.script.readFile = () => ({ Data: Buffer.from("new") });
  expect(await result.copyOut("/one", join(dir, "one"))).toBe(1);
  expect(await readFile(join(dir, "one"), "utf8")).toBe("new");
  expect(await result.copyOut("/one", `${join(dir, "made")}/`)).toBe(1);
  expect(await readFile(join(dir, "made/one"), "utf8")).toBe("new");
  fake.script.statFile = () => ({ stat: entry("pipe", 0x0200_0000 + 0o600) });
  await expect(result.copyOut("/pipe", join(dir, "pipe"))).rejects.toThrow("neither a file nor a directory");
});
