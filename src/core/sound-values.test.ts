import { expect, test } from "vitest";
import { clipText, soundCount } from "./sound-values.js";

test.each([
  [5n, 5],
  [0, 0],
  [-1n, 0],
  [-1, 0],
  [Number.NaN, 0],
  [2n ** 63n - 1n, Number.MAX_SAFE_INTEGER],
  [Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER],
])("a count of %s is %s", (given, expected) => {
  expect(soundCount(given)).toBe(expected);
});

test("long texts are cut", () => {
  expect(clipText("abc", 3)).toBe("abc");
  expect(clipText("abcd", 3)).toBe("abc…");
});
