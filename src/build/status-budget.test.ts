import { expect, test } from "vitest";
import { type StatusUpdate, statusEvent } from "../core/index.js";
import { StatusBudget, mostStatuses, mostTextBytes, mostVertices, mostWarnings } from "./status-budget.js";

function update(part: object): StatusUpdate {
  const event = statusEvent(part);
  if (event.type !== "status") throw new Error("no status");
  return event;
}
const vertex = (digest: string, more: object = {}) => ({
  digest,
  name: "",
  inputs: [],
  cached: false,
  ...more,
});
const warning = (short: string) => ({ vertex: "v", level: 1, short, detail: [], url: "" });
const tooLarge = { code: "BUILD_TOO_LARGE" };

test("steps and lines of progress are counted once, however often they are told", () => {
  const budget = new StatusBudget();
  const vertexes = Array.from({ length: mostVertices }, (_, at) => vertex(`${at}`));
  for (let times = 0; times < 3; times++) budget.take(update({ vertexes }));
  expect(() => budget.take(update({ vertexes: [vertex("more")] }))).toThrow(
    expect.objectContaining(tooLarge),
  );
  const statuses = Array.from({ length: mostStatuses }, (_, at) => ({ vertex: "v", id: `${at}`, name: "" }));
  const other = new StatusBudget();
  for (let times = 0; times < 2; times++) other.take(update({ statuses }));
  // What stands between vertex and id keeps `v` and `0x` apart from `v0` and `x`.
  expect(() => other.take(update({ statuses: [{ vertex: "v", id: "x", name: "" }] }))).toThrow(
    /lines of progress/,
  );
});

test("of a step's texts the longest counts, with its group and its inputs", () => {
  const budget = new StatusBudget();
  const half = "x".repeat(mostTextBytes / 2);
  for (const name of ["", half, "short", half]) budget.take(update({ vertexes: [vertex("a", { name })] }));
  const group = { id: "g", name: half };
  expect(() => budget.take(update({ vertexes: [vertex("b", { progressGroup: group })] }))).toThrow(
    expect.objectContaining(tooLarge),
  );
});

test("warnings beyond those that are kept are counted alone", () => {
  const budget = new StatusBudget();
  const most = update({ warnings: Array.from({ length: mostWarnings - 1 }, () => warning("w")) });
  budget.take(most);
  expect(budget.droppedWarnings).toBe(0);
  const last = update({ warnings: [warning("kept"), warning("x".repeat(mostTextBytes))] });
  budget.take(last);
  expect(last.warnings.map(({ short }) => short)).toEqual(["kept"]);
  const none = update({ warnings: [warning("x".repeat(mostTextBytes))] });
  budget.take(none);
  expect(none.warnings).toEqual([]);
  expect(budget.droppedWarnings).toBe(2);
});

test("warnings are text as well", () => {
  const detail = Array.from({ length: 4 }, () => "x".repeat(mostTextBytes / 4));
  const long = { ...warning("w"), detail };
  expect(() => new StatusBudget().take(update({ warnings: [long] }))).toThrow(/bytes of names and warnings/);
  const source = { filename: "Dockerfile", data: Buffer.alloc(mostTextBytes), language: "", ranges: [] };
  expect(() => new StatusBudget().take(update({ warnings: [{ ...warning("w"), source }] }))).toThrow(
    expect.objectContaining(tooLarge),
  );
});
