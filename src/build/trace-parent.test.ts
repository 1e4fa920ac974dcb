import { expect, test } from "vitest";
import { traceHeaders } from "./trace-parent.js";

const parent = `00-${"1f".repeat(16)}-${"2e".repeat(8)}-01`;

test("a trace of the caller's is carried on", () => {
  expect(traceHeaders({ TRACEPARENT: parent })).toEqual({ traceparent: parent });
  expect(traceHeaders({ TRACEPARENT: ` ${parent}\n`, TRACESTATE: "a=b,c=d" })).toEqual({
    traceparent: parent,
    tracestate: "a=b,c=d",
  });
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
  expect(traceHeaders({ TRACEPARENT: text, TRACESTATE: "a=b" })).toEqual({});
});

test("a state that cannot travel is left out", () => {
  expect(traceHeaders({ TRACEPARENT: parent, TRACESTATE: "a=\u{e9}" })).toEqual({ traceparent: parent });
});
