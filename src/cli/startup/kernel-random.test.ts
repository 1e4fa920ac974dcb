import fs from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { kernelRandom } from "./kernel-random.js";

afterEach(() => void vi.restoreAllMocks());

test.runIf(process.platform === "linux")("no byte is given out twice", () => {
  const seen = new Set<string>();
  for (let at = 0; at < 500; at++) {
    const bytes = kernelRandom(8);
    expect(bytes?.length).toBe(8);
    seen.add((bytes as Buffer).toString("hex"));
    // What was given out is the caller's: zeros in it are in nothing that comes later.
    bytes?.fill(0);
  }
  expect(seen.size).toBe(500);
});

test("more than it has at once is not taken from it", () => {
  expect(kernelRandom(513)).toBeUndefined();
});

test.each<[what: string, stat: Partial<fs.Stats>]>([
  ["a file", { rdev: 265, isCharacterDevice: () => false }],
  ["another device", { rdev: 259, isCharacterDevice: () => true }],
])("%s in its place is not read", (_, stat) => {
  vi.spyOn(fs, "fstatSync").mockReturnValue(stat as fs.Stats);
  const reads = vi.spyOn(fs, "readSync");
  // Whatever is left of an earlier reading is used up first.
  for (let at = 0; at < 2; at++) kernelRandom(512);
  expect(kernelRandom(512)).toBeUndefined();
  expect(reads).not.toHaveBeenCalled();
});

test("what cannot be opened, or gives too little, is nothing", () => {
  for (let at = 0; at < 2; at++) kernelRandom(512);
  vi.spyOn(fs, "readSync").mockReturnValue(3);
  expect(kernelRandom(512)).toBeUndefined();
  vi.spyOn(fs, "openSync").mockImplementation(() => {
    throw new Error("no such file");
  });
  expect(kernelRandom(512)).toBeUndefined();
});
