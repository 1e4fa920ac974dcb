import { expect, test } from "vitest";
import { guardEvents } from "./guard-events.js";
import type { EventSink } from "./progress.js";

const event = { type: "end" } as const;
const bad = new Error("a bug in the display");

test.each<[string, EventSink]>([
  [
    "throws",
    () => {
      throw bad;
    },
  ],
  // oxlint-disable-next-line typescript/no-misused-promises -- what is tested
  ["rejects", async () => Promise.reject(bad)],
  ["throws in ready", Object.assign(() => {}, { ready: () => Promise.reject(bad) })],
])("an onEvent that %s is told nothing more, and its error is thrown at the end", async (_name, onEvent) => {
  let calls = 0;
  const sink: EventSink = (one) => {
    calls += 1;
    return onEvent(one);
  };
  if (onEvent.ready) sink.ready = () => onEvent.ready?.();
  const events = guardEvents(sink);
  events?.sink(event);
  await events?.sink.ready?.();
  await new Promise((resolve) => setTimeout(resolve, 5));
  events?.sink(event);
  expect(calls).toBe(1);
  expect(() => events?.throwIfFailed()).toThrow(bad);
});

test("no onEvent needs no guard", () => {
  expect(guardEvents(undefined)).toBeUndefined();
});
