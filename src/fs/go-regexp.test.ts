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

test.each([
  ["optional parts", `^${"[a]{0,1}".repeat(60)}${"a".repeat(60)}b$`, "a".repeat(119)],
  ["few of many", `^${"[^/]{1,40}".repeat(40)}b$`, "a".repeat(255)],
  ["one and two of each", `^${"a{1,2}".repeat(120)}b$`, "a".repeat(240)],
  ["a large set, written out", `^[${Array.from({ length: 9000 }, (_, at) => String.fromCodePoint(0x1000 + 2 * at)).join("")}]{0,1000}b$`, "\u1000".repeat(255)], // prettier-ignore
  ["words", `^${"(.*/)?\\b[^/]*".repeat(20)}!$`, "a/".repeat(120)],
])("SEC-66 no expression takes more than linear time: %s", (_, source, text) => {
  const start = process.cpuUsage();
  expect(compileGoRegexp(source)?.test(text)).toBe(false);
  expect(process.cpuUsage(start).user / 1000).toBeLessThan(1000);
});

test("SEC-66 what gets too large written out is refused, before it is", () => {
  expect(compileGoRegexp("^[a]{0,1000}$")?.test("a".repeat(1000))).toBe(true);
  expect(compileGoRegexp("^[a]{0,1000}$")?.test("a".repeat(1001))).toBe(false);
  expect(compileGoRegexp(`^${"[a]{0,1000}".repeat(3000)}$`)).toBeUndefined();
  expect(compileGoRegexp(`^${"(".repeat(6)}a${"){0,1000}".repeat(6)}$`)).toBeUndefined();
  expect(compileGoRegexp(`^${"{".repeat(60_000)}$`)?.test("{".repeat(60_000))).toBe(true);
  expect(compileGoRegexp(`^[${"[:".repeat(30_000)}a]$`)?.test("[")).toBe(true);
});

test("names of any kind and number keep a bounded memory of what was met", () => {
  const matcher = compileGoRegexp("^[^/]*x[^/]*y[^/]*$");
  for (let at = 0; at < 3000; at++) {
    const name = Array.from({ length: 200 }, (_, place) => String.fromCodePoint(0x4e00 + ((at * 200 + place) % 20_000))); // prettier-ignore
    expect(matcher?.test(`${name.join("")}xy`)).toBe(true);
    expect(matcher?.test(`${name.join("")}yx`)).toBe(false);
  }
});
