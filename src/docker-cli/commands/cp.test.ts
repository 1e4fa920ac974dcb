import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pack } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeEngine } from "../../../test/support/fake-engine.js";
import { runDocker } from "../run-docker.js";

let fake: FakeEngine;
let dir: string;

beforeEach(async () => {
  fake = await FakeEngine.start();
  dir = await mkdtemp(join(tmpdir(), "slipway-cp-"));
  fake.on("GET", "/containers/c1/archive", ({ query, response }) => {
    const path = query.get("path") ?? "";
    const name = path.slice(1);
    const mode = name === "tree" ? 0x8000_01ed : 0o644;
    const found = { name, size: 4, mode, mtime: "", linkTarget: "" };
    response.writeHead(200, {
      "x-docker-container-path-stat": Buffer.from(JSON.stringify(found)).toString("base64"),
    });
    const archive = pack();
    if (name === "tree") archive.entry({ name: "tree", type: "directory", mode: 0o755 });
    archive.entry({ name: name === "tree" ? "tree/file" : name, mode: 0o644 }, "new\n");
    archive.finalize();
    archive.pipe(response);
  });
});
afterEach(async () => {
  await fake.idle();
  await fake.close();
  await rm(dir, { recursive: true });
});

async function copy(from: string, destination: string) {
  const outputs = { stdout: "", stderr: "" };
  const collected = (name: "stdout" | "stderr") =>
    new PassThrough().on("data", (data: Buffer) => (outputs[name] += data.toString()));
  const exitCode = await runDocker(["cp", `c1:${from}`, destination], {
    env: { DOCKER_HOST: fake.host, DOCKER_CONFIG: "/nowhere", HOME: "/nowhere" },
    stdin: Readable.from([]),
    stdout: collected("stdout"),
    stderr: collected("stderr"),
    signal: new AbortController().signal,
    takeSignals: () => () => {},
  });
  await new Promise(setImmediate);
  return { exitCode, ...outputs };
}

/** What leads to no place for a file, and what is said of it. */
const nowhere: [what: string, make: (path: string) => unknown, words: string][] = [
  ["a link that leads nowhere", (path) => symlink("none/x", path), "does not exist"],
  ["a link to itself", (path) => symlink(path, path), "too many levels of symbolic links"],
];

test.each(nowhere)("%s is neither written to nor replaced", async (_what, make, words) => {
  const path = join(dir, "there");
  await make(path);
  const result = await copy("/file", path);
  expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(words) as string });
  expect(await readdir(dir)).toEqual(["there"]);
});

test("a link to a file is followed, one to a directory as well", async () => {
  await writeFile(join(dir, "real"), "old\n");
  await symlink("real", join(dir, "link"));
  await mkdir(join(dir, "folder"));
  await symlink("folder", join(dir, "folder-link"));
  for (const name of ["link", "folder-link"])
    expect(await copy("/file", join(dir, name))).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await readFile(join(dir, "real"), "utf8")).toBe("new\n");
  expect(await readFile(join(dir, "folder", "file"), "utf8")).toBe("new\n");
});

test("within a tree what is no file is replaced, and never opened", async () => {
  await mkdir(join(dir, "tree"));
  execFileSync("mkfifo", [join(dir, "tree", "file")]);
  expect(await copy("/tree", dir)).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await readFile(join(dir, "tree", "file"), "utf8")).toBe("new\n");
});

test("no destination is one", async () => {
  expect(await copy("/file", "")).toMatchObject({ exitCode: 1, stderr: "destination can not be empty\n" });
});
