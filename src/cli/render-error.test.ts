import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readWaiting } from "../../test/support/read-waiting.js";
import { BuildError } from "../build/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { FailedBuild } from "./cli-context.js";
import { Printer } from "./printer.js";
import { renderError } from "./render-error.js";

function rendered(error: unknown, { debug = false, guard = false, home = "/nowhere" } = {}) {
  const stream = new PassThrough();
  const printer = new Printer(stream, guard ? { GITHUB_ACTIONS: "true" } : {});
  const exitCode = renderError(error, { printer, env: { HOME: home, USERPROFILE: home }, debug });
  return { exitCode, text: String(readWaiting(stream)) };
}

test("SEC-33 no line of an error is a command to a workflow that shows it", () => {
  const error = new InvalidArgumentError("no such file: a\n::set-env name=PATH::x\r ::error::y");
  expect(rendered(error, { guard: true }).text).toBe(
    "ERROR: no such file: a\n> ::set-env name=PATH::x ::error::y\n",
  );
  expect(rendered(error, { guard: true, debug: true }).text).not.toMatch(/^\s*::/m);
});

test("SEC-31 an error's control sequences are not shown to the terminal", () => {
  expect(rendered(new InvalidArgumentError("bad \x1b[2J\x1b]52;c;eA==\x07name")).text).toBe(
    "ERROR: bad name\n",
  );
});

test("FLT-37 exit codes as buildx has them", () => {
  const failed = (grpcCode: number) => Object.assign(new Error("failed"), { grpcCode });
  expect([1, 2, 8, 13].map((code) => rendered(failed(code)).exitCode)).toEqual([130, 1, 102, 100]);
});

test("a failed build is shown in Docker Desktop where that has been used, and nowhere else", async () => {
  const home = await mkdtemp(join(tmpdir(), "slipway-home-"));
  try {
    const error = new BuildError("the step failed", { grpcCode: 2, sources: [] });
    error.ref = "b/b0/id";
    const failed = new FailedBuild(error);
    expect(rendered(failed, { home }).text).toBe("ERROR: failed to build: the step failed\n");
    await mkdir(join(home, ".docker/desktop-build"), { recursive: true });
    await writeFile(join(home, ".docker/desktop-build/.lastaccess"), "");
    expect(rendered(failed, { home }).text).toBe(
      "ERROR: failed to build: the step failed\n\nView build details: docker-desktop://dashboard/build/b/b0/id\n",
    );
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

test("FLT-40 an error that nobody expected is one line, and says how to see more", () => {
  expect(rendered(new TypeError("x is undefined"))).toEqual({
    exitCode: 1,
    text: "ERROR: x is undefined\nRun with --debug for the stack\n",
  });
});
