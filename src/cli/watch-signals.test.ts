import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchSignals } from "./watch-signals.js";

let exits: number[];
let target: EventEmitter & { exit(code: number): void; env: object; ppid: number };

beforeEach(() => {
  vi.useFakeTimers();
  exits = [];
  target = Object.assign(new EventEmitter(), {
    exit: (code: number) => void exits.push(code),
    env: {},
    ppid: 1,
  });
});
afterEach(() => void vi.useRealTimers());

const watch = () => watchSignals(target as unknown as NodeJS.Process);

test("a command that has ended is watched no more", () => {
  watch().close();
  expect(target.eventNames()).toEqual([]);
});

test("what a cancelled command left behind may go on for 5 s", () => {
  const signals = watch();
  target.emit("SIGTERM", "SIGTERM");
  expect(signals.signal.aborted).toBe(true);
  signals.close();
  vi.advanceTimersByTime(4_999);
  expect(exits).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(exits).toEqual([130]);
});

test("a second signal ends at once, also when the command has ended", () => {
  const signals = watch();
  target.emit("SIGINT", "SIGINT");
  signals.close();
  target.emit("SIGINT", "SIGINT");
  expect(exits).toEqual([130]);
  vi.clearAllTimers();
});
