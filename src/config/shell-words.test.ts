import { expect, test } from "vitest";
import { splitShellWords } from "./shell-words.js";

test.each([
  ["", []],
  ["--debug --oci-worker=false", ["--debug", "--oci-worker=false"]],
  ["  a\t b\n", ["a", "b"]],
  ["'a b' \"c d\"", ["a b", "c d"]],
  ["a'b c'd", ["ab cd"]],
  ["'' \"\"", ["", ""]],
  ['"a\\"b\\n"', ['a"bn']],
  ["'a\\b'", ["a\\b"]],
  ["a\\ b", ["a b"]],
  ["a # comment\nb", ["a", "b"]],
  ["a#b", ["a#b"]],
  ["日本 é", ["日本", "é"]],
])("splits %j", (text, words) => {
  expect(splitShellWords(text)).toEqual(words);
});

test("refuses what is left open", () => {
  expect(() => splitShellWords("'a")).toThrow("closing quote");
  expect(() => splitShellWords('a "b')).toThrow("closing quote");
  expect(() => splitShellWords("a\\")).toThrow("escape character");
});
