import { expect, test } from "vitest";
import { statusEvent } from "../core/index.js";
import { type BuildTotals, countTotals } from "./totals.js";

const vertex = (digest: string, more: object = {}) => ({
  digest,
  name: digest,
  inputs: [],
  cached: false,
  ...more,
});
const moved = (id: string, current: number, total: number, more: object = {}) => ({
  ...{ id, vertex: "a", name: id, current, total, timestamp: new Date() },
  ...more,
});

test("counts steps and bytes of those known, and the rate of the last seconds", () => {
  let clock = 1000;
  const seen: BuildTotals[] = [];
  const sink = countTotals(
    (totals) => seen.push(totals),
    () => clock,
  );
  expect(sink.totals()).toEqual({
    steps: { done: 0, total: 0 },
    bytes: { done: 0, total: 0 },
    bytesPerSecond: 0,
  });
  sink({ type: "message", level: "info", text: "x" });
  expect(seen).toEqual([]);
  const [early, late] = [new Date(1), new Date(2)];
  sink(statusEvent({ vertexes: [vertex("a"), vertex("b", { started: early, completed: early })] }));
  expect(seen.at(-1)?.steps).toEqual({ done: 1, total: 2 });
  // It starts again, with other inputs.
  sink(statusEvent({ vertexes: [vertex("b", { started: late, completed: early })] }));
  expect(sink.totals().steps).toEqual({ done: 0, total: 2 });
  sink(statusEvent({ statuses: [moved("layer", 0, 100)] }));
  clock += 1000;
  sink(statusEvent({ statuses: [moved("layer", 50, 100), moved("unknown", 20, 0)] }));
  expect(sink.totals()).toMatchObject({ bytes: { done: 70, total: 120 }, bytesPerSecond: 70 });
  clock += 1000;
  sink(statusEvent({ statuses: [moved("layer", 60, 100, { completed: late }), moved("unknown", 10, 0)] }));
  expect(sink.totals().bytes).toEqual({ done: 120, total: 120 });
  clock += 10_000;
  expect(sink.totals().bytesPerSecond).toBe(0);
});
