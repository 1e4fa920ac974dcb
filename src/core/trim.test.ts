import { expect, test } from "vitest";
import { trimBoth, trimTrailing } from "./trim.js";

test("characters are taken away at the end, or at both", () => {
  expect(trimTrailing("//a/b//", "/")).toBe("//a/b");
  expect(trimTrailing("////", "/")).toBe("");
  expect(trimTrailing("", "/")).toBe("");
  expect(trimBoth(" \ta b\t ", "\t ")).toBe("a b");
  expect(trimBoth(" \t ", "\t ")).toBe("");
});
