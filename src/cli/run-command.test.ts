import { Readable, Writable } from "node:stream";
import { expect, test } from "vitest";
import { runCommand } from "./run-command.js";

/** Runs a command whose standard output takes nothing, and gives its exit code and what it said. */
async function withOutput(code: string, args: readonly string[]) {
  let said = "";
  const stdout = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(`write ${code}`), { code })),
  });
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said += chunk.toString();
      done();
    },
  });
  const { signal } = new AbortController();
  const exitCode = await runCommand(args, {
    env: {},
    stdin: Readable.from([]),
    stdout,
    stderr,
    signal,
    invokedAs: "",
  });
  return { exitCode, said };
}

test("what is printed onto a full disk is lost, and told", async () => {
  for (const args of [["version"], ["build", "--help"], ["completion", "bash"]])
    expect(await withOutput("ENOSPC", args)).toEqual({
      exitCode: 1,
      said: "ERROR: cannot write to standard output: no space left on device\n",
    });
});

test("FLT-38 a reader that has gone is no error to tell", async () => {
  expect(await withOutput("EPIPE", ["build", "--help"])).toEqual({ exitCode: 141, said: "" });
});
