import { expect, test } from "vitest";
import { nearestHint, nearestName } from "./nearest-name.js";

const names = ["build", "create", "du", "history", "ls", "rm", "use"];

test.each([
  ["biuld", "build"],
  ["buidl", "build"],
  ["bild", "build"],
  ["creaate", "create"],
  ["hsitroy", "history"],
  ["lsx", "ls"],
])("%s is taken for %s", (typed, meant) => {
  expect(nearestName(typed, names)).toBe(meant);
  expect(nearestHint(typed, names)).toBe(`, did you mean ${meant}?`);
});

test.each(["bogus", "bake", "x".repeat(10_000)])("%.10s is like none", (typed) => {
  expect(nearestHint(typed, names)).toBe("");
});
