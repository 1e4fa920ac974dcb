import { expect, test } from "vitest";
import { goPattern } from "./go-pattern.js";

const found = (pattern: string, text: string) =>
  [...goPattern(pattern).machine.matches(text)].map(({ index, text: whole, groups }) => [
    index,
    whole,
    ...groups,
  ]);

test.each([
  ["a|ab", "ab", [[0, "a"]]],
  ["(a|ab)(c|bcd)?", "abcd", [[0, "abcd", "a", "bcd"]]],
  ["a*", "baac", [[0, ""], [1, "aa"], [4, ""]]],
  ["a+?", "aaa", [[0, "a"], [1, "a"], [2, "a"]]],
  ["(?U)a+", "aa", [[0, "a"], [1, "a"]]],
  ["(a)|b", "ba", [[0, "b", undefined], [1, "a", "a"]]],
  ["(?m)^.$", "x\ny", [[0, "x"], [2, "y"]]],
  ["(?i)é", "É", [[0, "É"]]],
  ["\\bx\\B", "x xy", [[2, "x"]]],
  ["x{2,3}", "xxxxx", [[0, "xxx"], [3, "xx"]]],
  ["[^\\d[:space:]]+", "1 ab", [[2, "ab"]]],
  ["\\Qa.b\\E+", "a.bbb", [[0, "a.bbb"]]],
  ["(?P<y>.)(?P<z>.)?", "😀", [[0, "😀", "😀", undefined]]],
  ["", "ab", [[0, ""], [1, ""], [2, ""]]],
])("%s in %j", (pattern, text, matches) => {
  expect(found(pattern, text)).toEqual(matches);
}); // prettier-ignore

test("no expression takes long", () => {
  const text = "a".repeat(2000);
  for (const pattern of ["(a*)*b", "(a|a)*b", "(a|aa)+$b", "(?:a?){500}a{500}b", "(.*)(.*)(.*)(.*)x"])
    expect(found(pattern, text)).toEqual([]);
}, 20_000);
