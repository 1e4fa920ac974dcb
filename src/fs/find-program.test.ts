import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findProgram, programEnvironment } from "./find-program.js";

let dir: string;
let before: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "slipway-program-"));
  before = process.cwd();
  process.chdir(dir);
});
afterEach(() => {
  process.chdir(before);
  fs.rmSync(dir, { recursive: true, force: true });
});

function program(path: string, mode = 0o755): string {
  fs.mkdirSync(join(dir, path, ".."), { recursive: true });
  fs.writeFileSync(join(dir, path), "#!/bin/sh\n", { mode });
  return join(dir, path);
}

test("SEC-35 programs come from absolute entries of PATH only", async () => {
  program("tool");
  program("bin/tool");
  for (const PATH of [".", "", "bin", ":", "./bin", `.:${dir}/none`, ":/usr/bin", "/usr/bin:", "bin::."])
    expect(await findProgram("tool", { PATH }), PATH).toBeUndefined();
  expect(await findProgram("tool", { PATH: `.::bin:${dir}/bin` })).toBe(join(dir, "bin/tool"));
});

test("what cannot be run is passed over", async () => {
  program("a/tool", 0o644);
  fs.mkdirSync(join(dir, "b/tool"), { recursive: true });
  const found = program("c/tool");
  expect(await findProgram("tool", { PATH: ["a", "b", "c"].map((one) => join(dir, one)).join(":") })).toBe(
    found,
  );
});

test("a name is a name or an absolute path", async () => {
  program("bin/tool");
  expect(await findProgram("bin/tool", { PATH: dir })).toBeUndefined();
  expect(await findProgram("./tool", { PATH: join(dir, "bin") })).toBeUndefined();
  expect(await findProgram("", { PATH: dir })).toBeUndefined();
  expect(await findProgram(join(dir, "bin/tool"), {})).toBe(join(dir, "bin/tool"));
});

test("without PATH the system's own directories count", async () => {
  expect(await findProgram("sh", {})).toMatch(/^\/(usr\/)?bin\/sh$/);
});

test("SEC-35 a program that is run finds nothing in its working directory either", () => {
  expect(programEnvironment({ PATH: ".:/usr/bin::bin:/bin:", HOME: "/h" })).toEqual({
    PATH: "/usr/bin:/bin",
    HOME: "/h",
  });
  expect(programEnvironment({ HOME: "/h" })).toEqual({ HOME: "/h" });
  expect(programEnvironment({ PATH: "." })).toEqual({ PATH: "/usr/bin:/bin" });
});
