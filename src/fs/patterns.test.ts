import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isSlipwayError } from "../core/index.js";
import { parseIgnoreFile } from "./ignore-file.js";
import { PatternMatcher } from "./patterns.js";

interface Case {
  patterns: string[];
  path: string;
  matches: boolean | "ERR";
}

const cases = JSON.parse(
  readFileSync(new URL("../../test/data/patternmatcher.json", import.meta.url), "utf8"),
) as Case[];

function outcome({ patterns, path }: Case): boolean | "ERR" {
  try {
    return new PatternMatcher(parseIgnoreFile(Buffer.from(patterns.join("\n")))).matches(path);
  } catch (error) {
    if (isSlipwayError(error, "INVALID_ARGUMENT")) return "ERR";
    throw error;
  }
}

describe("PatternMatcher", () => {
  test(`agrees with Go in all ${cases.length} recorded cases`, () => {
    const wrong = cases.filter((one) => outcome(one) !== one.matches);
    expect(cases.length).toBe(2500);
    expect(wrong).toEqual([]);
  });
});
