import { expect, test } from "vitest";
import { gate } from "../../test/support/gate.js";
import { Turns } from "./turns.js";

const never = new AbortController().signal;

test("so many run at the same time, the others in the order in which they came", async () => {
  const turns = new Turns(2);
  const doors = [gate(), gate(), gate()];
  const begun: number[] = [];
  const third = gate();
  const works = doors.map((door, at) =>
    turns.take(never, () => {
      begun.push(at);
      if (at === 2) third.open();
      return door.opened;
    }),
  );
  await turns.take(AbortSignal.abort(), () => Promise.resolve()).catch(() => {});
  expect(begun).toEqual([0, 1]);
  doors[1]?.open();
  await third.opened;
  expect(begun).toEqual([0, 1, 2]);
  for (const door of doors) door.open();
  await Promise.all(works);
});

test("what fails gives its turn on, also where it fails at once", async () => {
  const turns = new Turns(1);
  const fail = () => {
    throw new Error("broken");
  };
  for (const work of [fail, () => Promise.reject(new Error("broken"))])
    await expect(turns.take(never, work)).rejects.toThrow("broken");
  expect(await turns.take(never, () => Promise.resolve(1))).toBe(1);
});

test("who is cancelled at the moment of its turn gives it on", async () => {
  const turns = new Turns(1);
  const abort = new AbortController();
  const first = gate();
  const done = turns.take(never, () => first.opened);
  const cancelled = turns.take(abort.signal, () => Promise.resolve("begun"));
  const last = turns.take(never, () => Promise.resolve("last"));
  const outcome = expect(cancelled).rejects.toMatchObject({ code: "ABORTED" });
  first.open();
  abort.abort();
  await outcome;
  await done;
  expect(await last).toBe("last");
});
