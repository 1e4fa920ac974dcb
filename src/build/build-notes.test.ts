import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BuildNotes } from "./build-notes.js";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Notes that take until `finish` is called. */
function notes() {
  let finish = () => {};
  const promise = new Promise<void>((resolve) => (finish = resolve));
  const write = vi.fn(() => promise);
  return { write, finish: () => finish(), notes: new BuildNotes(write) };
}

test("a build is noted when that is asked for, once", async () => {
  const { write, finish, notes: noted } = notes();
  expect(write).not.toHaveBeenCalled();
  noted.write();
  noted.write();
  vi.advanceTimersByTime(1_000);
  finish();
  await noted[Symbol.asyncDispose]();
  expect(write).toHaveBeenCalledTimes(1);
});

test("a build that goes on is noted meanwhile", async () => {
  const { write, finish, notes: noted } = notes();
  vi.advanceTimersByTime(499);
  expect(write).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(write).toHaveBeenCalledTimes(1);
  finish();
  await noted[Symbol.asyncDispose]();
});

test("a build that ends without is noted at its end, which waits for it", async () => {
  const { write, finish, notes: noted } = notes();
  let isOver = false;
  const over = noted[Symbol.asyncDispose]().then(() => (isOver = true));
  expect(write).toHaveBeenCalledTimes(1);
  await Promise.resolve();
  expect(isOver).toBe(false);
  finish();
  await over;
  expect(vi.getTimerCount()).toBe(0);
});
