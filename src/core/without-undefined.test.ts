import { expect, test } from "vitest";
import { withoutUndefined } from "./without-undefined.js";

test("fields without a value are left out, others stay in their order, also empty ones", () => {
  const fields = { b: 1, a: undefined, c: null, d: false, e: "", f: [undefined] };
  expect(Object.entries(withoutUndefined(fields))).toEqual([
    ["b", 1],
    ["c", null],
    ["d", false],
    ["e", ""],
    ["f", [undefined]],
  ]);
  expect(Object.hasOwn(fields, "a")).toBe(true);
});

test("a field called __proto__ is one like others; what is inherited is not taken", () => {
  const fields = Object.assign(Object.create({ inherited: 1 }) as object, JSON.parse('{"a":1}') as object);
  Object.defineProperty(fields, "__proto__", { value: { polluted: 1 }, enumerable: true });
  const kept = withoutUndefined(fields);
  expect(Object.keys(kept)).toEqual(["a", "__proto__"]);
  expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
  expect("polluted" in kept).toBe(false);
});

test("in its type what may be missing is optional", () => {
  const port = [1, undefined][0];
  const kept: { host: string; port?: number } = withoutUndefined({ host: "a", port });
  const texts: Record<string, string> = withoutUndefined<Record<string, string | undefined>>({
    a: undefined,
  });
  expect([kept, texts]).toEqual([{ host: "a", port: 1 }, {}]);
});
