import { expect, test } from "vitest";
import { parseGoDuration } from "./go-duration.js";

test.each([
  ["0", 0],
  ["20s", 20_000],
  ["1h30m", 5_400_000],
  ["-1.5h", -5_400_000],
  ["+5ms", 5],
  ["250us", 0.25],
  ["250µs", 0.25],
  [".5s", 500],
  ["1.s", 1000],
])("%j", (text, ms) => {
  expect(parseGoDuration(text)).toBeCloseTo(ms, 9);
});

test.each([
  ["", 'time: invalid duration ""'],
  ["3", 'time: missing unit in duration "3"'],
  ["3d", 'time: unknown unit "d" in duration "3d"'],
  ["s", 'time: invalid duration "s"'],
  [".s", 'time: invalid duration ".s"'],
  ["1s-", 'unknown unit "s-"'],
  ["9999999h", "invalid duration"],
])("refuses %j", (text, message) => {
  expect(() => parseGoDuration(text)).toThrow(message);
});
