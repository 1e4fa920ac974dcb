import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeFileAtomic } from "./atomic-file.js";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "slipway-atomic-"));
});
afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

test("STO-13 the file is replaced whole, with its mode", async () => {
  const file = join(dir, "file");
  await writeFileAtomic(file, "one");
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  const before = fs.statSync(file).ino;
  await writeFileAtomic(file, Buffer.from("two"), { mode: 0o644 });
  expect(fs.readFileSync(file, "utf8")).toBe("two");
  expect(fs.statSync(file).mode & 0o777).toBe(0o644);
  expect(fs.statSync(file).ino).not.toBe(before);
  expect(fs.readdirSync(dir)).toEqual(["file"]);
});

test("a failure leaves the old file and nothing else", async () => {
  const file = join(dir, "file");
  await writeFileAtomic(file, "one");
  await expect(
    writeFileAtomic(file, "two", { signal: AbortSignal.abort(new Error("stop")) }),
  ).rejects.toMatchObject({ code: "ABORTED" });
  expect(fs.readFileSync(file, "utf8")).toBe("one");
  fs.mkdirSync(join(dir, "taken"));
  await expect(writeFileAtomic(join(dir, "taken"), "x")).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  expect(fs.readdirSync(dir).sort()).toEqual(["file", "taken"]);
});
