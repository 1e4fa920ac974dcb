import { expect, test } from "vitest";
import { isValidGlob, matchGlob } from "./glob.js";

test.each([
  ["*", "abc", true],
  ["*", "a/c", false],
  ["a*c", "abbc", true],
  ["a*c", "abbcd", false],
  ["*b*", "abc", true],
  ["a?c", "a/c", false],
  ["a?c", "a\xc3\xa9c", true],
  ["a?c", "a\xffc", true],
  ["[a-c]x", "bx", true],
  ["[^a-c]x", "bx", false],
  ["[\xc3\xa9]", "\xc3\xa9", true],
  ["\\*", "*", true],
  ["\\*", "a", false],
  ["[\\]]", "]", true],
  ["", "", true],
  ["a", "", false],
])("%s on %s", (pattern, name, matches) => {
  expect(matchGlob(pattern, name)).toBe(matches);
});

test.each(["[", "[]", "[a", "[a-", "[a-]", "[-a]", "\\", "[\xff]", "[]a]"])("%s is malformed", (pattern) => {
  expect(matchGlob(pattern, "a")).toBeUndefined();
  expect(isValidGlob(pattern)).toBe(false);
});

test("what follows a part that does not match is not looked at, as in Go", () => {
  expect(isValidGlob("a*[")).toBe(true);
  expect(isValidGlob("*[")).toBe(false);
});
