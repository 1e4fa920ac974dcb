import { expect, test } from "vitest";
import { compileGoRegexp } from "./go-regexp.js";

test.each([
  ["^a.c$", "abc", true],
  ["^a.c$", "a\nc", false],
  ["^a.c$", "a\u2028c", true],
  ["^[^/]$", "\n", true],
  ["^\\d\\s\\w$", "1 x", true],
  ["^\\s$", "\u00a0", false],
  ["^\\Qa*b$", "a*b$", true],
  ["^\\Qa*\\Eb$", "a*b", true],
  ["^a|b$", "xb", true],
  ["^a{2,3}$", "aa", true],
  ["^a{,3}$", "a{,3}", true],
  ["^[[:alpha:]]$", "x", true],
  ["^[[:^alpha:]]$", "x", false],
  ["^\\pL\\p{Greek}$", "aα", true],
  ["^\\x41\\x{42}\\103$", "ABC", true],
  ["^[a-]$", "-", true],
  ["^\\bword\\b$", "word", true],
  ["^^{2}a$", "a", true],
])("%s on %j", (source, text, matches) => {
  expect(compileGoRegexp(source)?.test(text)).toBe(matches);
});

test.each([
  "\\",
  "[a",
  "[b-a]",
  "\\1",
  "\\8",
  "\\e",
  "\\C",
  "a**",
  "a{2}{3}",
  "|{2}",
  "a{1001}",
  "\\pX",
  "\\é",
  "[[:no:]]",
  "(a",
])("%s is refused, as by Go", (source) => {
  expect(compileGoRegexp(source)).toBeUndefined();
});

test.each([
  ["[^/]*a[^/]*b[^/]*c", "xaybzc", true],
  ["^(.*/)?a(.*/)?b(.*/)?c$", "x/y/az/b/c", true],
  ["^(.*/)?a(.*/)?b(.*/)?c$", "x\n/abc", false],
  ["^.*a|.*b$|.*c{1,3}d\\b", "xxccd", true],
  ["^.*.*.*\\pL$", "12é", true],
])("the linear machine: %s on %j", (source, text, matches) => {
  expect(compileGoRegexp(source)).not.toBeInstanceOf(RegExp);
  expect(compileGoRegexp(source)?.test(text)).toBe(matches);
});
