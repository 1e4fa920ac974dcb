import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { relaySignals } from "./relay-signals.js";

test("signals that are taken go to the handler; the third that is to end ends the process, as in docker", () => {
  const exits: number[] = [];
  const target = Object.assign(new EventEmitter(), {
    exit: (code: number) => void exits.push(code),
    env: {},
    ppid: 1,
  });
  const signals = relaySignals(target as unknown as NodeJS.Process);
  const seen: string[] = [];
  const giveBack = signals.take((name) => seen.push(name));
  for (const name of ["SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT"]) target.emit(name, name);
  expect(exits).toEqual([]);
  target.emit("SIGINT", "SIGINT");
  expect(seen).toEqual(["SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT", "SIGINT"]);
  expect(exits).toEqual([1]);
  expect(signals.signal.aborted).toBe(false);
  giveBack();
  expect(target.eventNames()).toEqual([]);
});
