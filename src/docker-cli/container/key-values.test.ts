import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readVariables } from "./key-values.js";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-variables-"))));
afterEach(() => rm(dir, { recursive: true }));

const read = (...paths: string[]) => readVariables([], paths, { HERE: "1" }, new AbortController().signal);

/** A pipe that somebody writes to, once. */
async function fromPipe<T>(text: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(dir, "pipe");
  execFileSync("mkfifo", [path]);
  const writer = spawn("sh", ["-c", 'printf %s "$1" >"$0"', path, text], { stdio: "ignore" });
  const [result] = await Promise.all([use(path), once(writer, "exit")]);
  return result;
}

test("variables are read from files and pipes", async () => {
  const path = join(dir, "file");
  await writeFile(path, "# comment\nA=1\n\nHERE\nNONE\n");
  expect(await read(path)).toEqual(["A=1", "HERE=1"]);
  expect(await fromPipe("B=2\n", read)).toEqual(["B=2"]);
});

test("an empty file is one, a pipe that was read before is told", async () => {
  const path = join(dir, "file");
  await writeFile(path, "");
  expect(await read(path)).toEqual([]);
  await fromPipe("", async (pipe) => {
    await expect(read(pipe)).rejects.toThrow(`nothing came from the pipe ${pipe}: Node reads it before`);
  });
});
