import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readWaiting } from "../../test/support/read-waiting.js";
import { printDetailsAfter } from "./build-details.js";
import { Printer } from "./printer.js";

let home: string;
let marker: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "slipway-home-"));
  marker = join(home, ".docker/desktop-build/.lastaccess");
  await mkdir(dirname(marker), { recursive: true });
});
afterEach(() => rm(home, { recursive: true }));

function after(mode: string): string {
  const stream = new PassThrough();
  printDetailsAfter(mode, "b/b0/id", {
    stderr: new Printer(stream, {}),
    env: { HOME: home, USERPROFILE: home },
  });
  return String(readWaiting(stream) ?? "");
}

// Docker Desktop's marker only has to be there (buildx util/desktop BuildBackendEnabled): what is in it nobody reads.
test.each<[string, () => unknown]>([
  ["a file", () => writeFile(marker, "")],
  ["a directory", () => mkdir(marker)],
  ["a named pipe", () => execFileSync("mkfifo", [marker])],
])(
  "behind a display it is said where Docker Desktop shows the build, its marker being %s",
  async (_, make) => {
    await make();
    for (const mode of ["auto", "plain", "tty", "grouped"])
      expect(after(mode)).toBe("\nView build details: docker-desktop://dashboard/build/b/b0/id\n");
    for (const mode of ["none", "quiet", "rawjson"]) expect(after(mode)).toBe("");
  },
);

test("without the marker, or with a link to nowhere in its place, nothing is said", async () => {
  expect(after("plain")).toBe("");
  await symlink("nowhere", marker);
  expect(after("plain")).toBe("");
});
