import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isSlipwayError } from "../core/index.js";
import { toBytes } from "./bytes.js";
import { parseIgnoreFile } from "./ignore-file.js";
import { type MatchMemo, PatternMatcher, leadingDirs } from "./patterns.js";

type Outcome = boolean | "ERR";

function recorded<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../../test/data/${name}`, import.meta.url), "utf8")) as T[];
}

function outcome(work: () => boolean): Outcome {
  try {
    return work();
  } catch (error) {
    if (isSlipwayError(error, "INVALID_ARGUMENT")) return "ERR";
    throw error;
  }
}

/** Goes down to the path from directory to directory, as a walk does. */
function stepTo(matcher: PatternMatcher, path: string): boolean {
  const parts = path.split("/");
  let memo: MatchMemo | undefined;
  parts.forEach((_, i) => {
    memo = matcher.step(parts.slice(0, i + 1).join("/"), memo);
  });
  return memo !== undefined && matcher.isMatch(memo);
}

/** The definition: every pattern in order, one by one. */
function oneByOne(lines: string[], path: string): boolean {
  let matched = false;
  for (const line of lines) {
    const exclusion = line.startsWith("!");
    const single = new PatternMatcher([exclusion ? line.slice(1) : line]);
    if (exclusion === matched && single.matches(path)) matched = !matched;
  }
  return matched;
}

describe("PatternMatcher", () => {
  test("agrees with Go in all 2500 recorded cases", () => {
    const cases = recorded<{ patterns: string[]; path: string; matches: Outcome }>("patternmatcher.json");
    expect(cases).toHaveLength(2500);
    const wrong = cases.filter(({ patterns, path, matches }) => {
      const lines = () => parseIgnoreFile(Buffer.from(patterns.join("\n")));
      return outcome(() => new PatternMatcher(lines()).matches(path)) !== matches;
    });
    expect(wrong).toEqual([]);
  });

  test("agrees with Go about regular expression syntax, stray bytes and escapes", () => {
    type Case = { patterns: string[]; path: string; matches: Outcome; stepped: Outcome };
    const wrong = recorded<Case>("pattern-oddities.json").filter(
      ({ patterns, path, matches, stepped }) =>
        outcome(() => new PatternMatcher(patterns).matches(path)) !== matches ||
        outcome(() => stepTo(new PatternMatcher(patterns), path)) !== stepped,
    );
    expect(wrong).toEqual([]);
  });

  test("FLT-75 twenty thousand plain patterns decide as one by one, with few comparisons", () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `dir${i % 100}/file-${i}`);
    lines[15_000] = "!dir5/file-105";
    const matcher = new PatternMatcher(lines);
    expect(matcher.matches("dir5/file-105")).toBe(false);
    expect(matcher.matches("dir6/file-106")).toBe(true);
    expect(matcher.matches("dir6/file-106/below")).toBe(true);
    expect(matcher.matches("dir6/file-107")).toBe(false);
    expect(stepTo(matcher, "dir99/file-19999/x")).toBe(true);
  });

  test("alternating polarities beyond the bits of a number decide as one by one", () => {
    const lines = Array.from({ length: 80 }, (_, i) =>
      i % 2 === 0 ? `d${i % 7}/**` : `!d${i % 7}/k${i % 5}`,
    );
    const matcher = new PatternMatcher(lines);
    for (let d = 0; d < 7; d++) {
      for (let k = 0; k < 5; k++) {
        const path = `d${d}/k${k}`;
        expect(matcher.matches(path), path).toBe(oneByOne(lines, path));
        expect(stepTo(matcher, `${path}/x`), path).toBe(oneByOne(lines, `${path}/x`));
      }
    }
  });

  test("FLT-77 patterns and paths beyond ASCII match by code point", () => {
    const matcher = new PatternMatcher([toBytes("dir-é/?.txt")]);
    expect(matcher.matches(toBytes("dir-é/€.txt"))).toBe(true);
    expect(matcher.matches("dir-\xc3\xa9/\xff.txt")).toBe(true);
    expect(matcher.matches("dir-\xc3\xa9/\xff\xfe.txt")).toBe(false);
  });

  test("many stars on a hostile name end in linear time", () => {
    const matcher = new PatternMatcher([`${"*a".repeat(30)}b[c]`]);
    expect(matcher.matches("a".repeat(255))).toBe(false);
  });

  test("SEC-66 a list that gets too large is refused, naming the pattern", () => {
    const lines = Array.from({ length: 40 }, (_, at) => `${at}${"[a]{0,1000}".repeat(40)}`);
    expect(() => new PatternMatcher(lines)).toThrow(/the patterns are too large: .* at "\d+\[a\]/);
  });

  test("a lone ! is refused with Go's words", () => {
    expect(() => new PatternMatcher(["a", " ! "])).toThrow('illegal exclusion pattern: "!"');
  });
});

test("leadingDirs gives up at a wildcard that is not at the end", () => {
  const dirs = (lines: string[]) => leadingDirs(new PatternMatcher(lines).patterns);
  expect(dirs(["a/b/c", "d/**", "e/*"])).toEqual(new Set(["a/b/c", "a", "a/b", "d", "e"]));
  expect(dirs(["a/*/c"])).toBeUndefined();
  expect(dirs(["a\\b"])).toBeUndefined();
});
