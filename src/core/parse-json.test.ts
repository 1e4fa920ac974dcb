import { expect, test } from "vitest";
import { deepestJson, parseJson } from "./parse-json.js";

test("SEC-67 JSON that is nested too deep is refused like a mistake in it", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(parseJson(nested(deepestJson))).toHaveLength(1);
  expect(() => parseJson(nested(deepestJson + 1))).toThrow(SyntaxError);
  expect(() => parseJson('{"a":'.repeat(200_000) + "1" + "}".repeat(200_000))).toThrow(SyntaxError);
  const text = JSON.stringify({ "[": '\\"['.repeat(5000) });
  expect(parseJson(text)).toEqual(JSON.parse(text));
  expect(() => parseJson("[1,")).toThrow(SyntaxError);
  expect(() => parseJson(`["${"a".repeat(2000)}`)).toThrow(SyntaxError);
  expect(() => parseJson(`[${"{},".repeat(1_000_001)}1]`)).toThrow("more than 1000000 values");
});
