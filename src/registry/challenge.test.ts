import { expect, test } from "vitest";
import { parseChallenges } from "./challenge.js";

const parse = (...values: string[]) =>
  parseChallenges(values).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test("bearer, basic, several in one value or in several", () => {
  expect(parse('Bearer realm="https://a/t?x=1,2",service="s", scope="repository:a/b:pull,push"')).toEqual([
    ["bearer", { realm: "https://a/t?x=1,2", service: "s", scope: "repository:a/b:pull,push" }],
  ]);
  expect(parse('BASIC realm="a \\"b\\""')).toEqual([["basic", { realm: 'a "b"' }]]);
  expect(parse('Basic realm=x, Bearer Realm="y"', "Negotiate")).toEqual([
    ["basic", { realm: "x" }],
    ["bearer", { realm: "y" }],
    ["negotiate", {}],
  ]);
});

test("SEC-29 malformed values yield less, never an error", () => {
  for (const text of [
    "",
    "=",
    '"',
    "Bearer realm=",
    'Bearer realm="',
    "Bearer ,,,",
    "é",
    'x="y"',
    "Bearer \u0000",
  ]) {
    expect(() => parse(text)).not.toThrow();
  }
  expect(parse('Bearer realm="x')).toEqual([["bearer", { realm: "" }]]);
  const long = `Bearer realm="${"\\".repeat(50_000)}`;
  expect(parse(long)).toHaveLength(1);
});
