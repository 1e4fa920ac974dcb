import { expect, test } from "vitest";
import { parseTraceParent, traceParentOf } from "./trace-parent.js";

const parent = `00-${"1f".repeat(16)}-${"2e".repeat(8)}-01`;

test("a trace of the caller's is carried on", () => {
  const ids = { traceId: "1f".repeat(16), spanId: "2e".repeat(8), flags: "01" };
  expect(parseTraceParent({ TRACEPARENT: parent })).toEqual(ids);
  expect(parseTraceParent({ TRACEPARENT: ` ${parent}\n`, TRACESTATE: "a=b,c=d" })).toEqual({
    ...ids,
    traceState: "a=b,c=d",
  });
  expect(traceParentOf(ids)).toBe(parent);
});

test.each([
  undefined,
  "",
  "x",
  parent.toUpperCase(),
  `ff${parent.slice(2)}`,
  `00-${"0".repeat(32)}-${"2e".repeat(8)}-01`,
  `${parent}-more`,
])("%j is no trace", (text) => {
  expect(parseTraceParent({ TRACEPARENT: text, TRACESTATE: "a=b" })).toBeUndefined();
});

test("a state that cannot travel is left out", () => {
  const { traceState } = parseTraceParent({ TRACEPARENT: parent, TRACESTATE: "a=\u{e9}" }) ?? {};
  expect(traceState).toBeUndefined();
});
