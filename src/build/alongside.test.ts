import { expect, it } from "vitest";
import { gate } from "../../test/support/gate.js";
import { alongside } from "./alongside.js";

it("does both at once, and waits for both", async () => {
  const [other, work] = [gate(), gate()];
  const steps: string[] = [];
  const both = alongside(
    other.opened.then(() => void steps.push("other")),
    async () => {
      steps.push("begun");
      await work.opened;
      return 7;
    },
  ).then((value) => steps.push(`both ${value}`));
  expect(steps).toEqual(["begun"]);
  work.open();
  await work.opened;
  expect(steps).toEqual(["begun"]);
  other.open();
  await both;
  expect(steps).toEqual(["begun", "other", "both 7"]);
});

it("waits for the other also when the work fails", async () => {
  const other = gate();
  let isOver = false;
  const failing = alongside(
    other.opened.then(() => void (isOver = true)),
    () => {
      other.open();
      return Promise.reject(new Error("no"));
    },
  );
  await expect(failing).rejects.toThrow("no");
  expect(isOver).toBe(true);
});
