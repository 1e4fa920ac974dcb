import { expect, test } from "vitest";
import { mergeIntervals, secondsOf } from "./intervals.js";

test("stretches that overlap are joined, and their sum is never negative", () => {
  const merged = mergeIntervals([
    { start: 5, stop: 7 },
    { start: 0, stop: 2 },
    { start: 1, stop: 3 },
    { start: 6, stop: undefined },
    { start: 9, stop: 10 },
  ]);
  expect(merged).toEqual([
    { start: 0, stop: 3 },
    { start: 5, stop: undefined },
  ]);
  expect(secondsOf(merged, 1005)).toBe(1.003);
  expect(secondsOf([{ start: 10, stop: undefined }], 0)).toBe(0);
});
