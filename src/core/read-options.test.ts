import { setTimeout as wait } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { linkSignal } from "./signals.js";
import { ownSignal } from "./own-signal.js";
import { readOptions } from "./read-options.js";
import { flag, mapOf, oneOf, signal, text } from "./kinds.js";

/** A signal as other libraries make them: not an EventTarget of Node's. */
class ForeignSignal {
  aborted = false;
  reason: unknown;
  readonly listeners = new Set<() => void>();
  addEventListener(_type: string, listener: () => void): void {
    this.listeners.add(listener);
  }
  removeEventListener(_type: string, listener: () => void): void {
    this.listeners.delete(listener);
  }
  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.listeners) listener();
  }
}

const kinds = { all: flag, name: text(), mode: oneOf("a", "b"), labels: mapOf(text(), "{}"), signal };

test("undefined is not given, and a signal of another library becomes one of ours", async () => {
  const foreign = new ForeignSignal();
  const options = readOptions("x()", { all: undefined, name: "", signal: foreign as never }, kinds) as {
    signal: AbortSignal;
  };
  expect(Object.keys(options)).toEqual(["name", "signal"]);
  expect(options.signal).toBeInstanceOf(AbortSignal);
  expect(ownSignal(foreign as never)).toBe(options.signal);
  const reason = new Error("enough");
  foreign.abort(reason);
  expect(options.signal.reason).toBe(reason);
  await wait(0);
});

test("a signal that is linked to one of another library aborts with it, and leaves nothing behind", () => {
  const foreign = new ForeignSignal();
  const linked = linkSignal(foreign as never);
  linked[Symbol.dispose]();
  expect(foreign.listeners.size).toBe(0);
  const other = linkSignal(foreign as never);
  foreign.abort("why");
  expect(other.signal.reason).toBe("why");
});

test("a signal of another realm is one", () => {
  const other = runInNewContext(
    "({ aborted: false, addEventListener() {}, removeEventListener() {} })",
  ) as object;
  expect(readOptions("x()", { signal: other }, kinds)).toBeDefined();
});

test.each([
  [{ al: true }, 'x() has no option "al", did you mean all?'],
  [{ constructor: 1 }, 'x() has no option "constructor"'],
  [{ mode: "c" }, 'the option mode must be "a" or "b", not a text'],
  [{ labels: { "a b": 1 } }, 'the option labels["a b"] must be a text, not the number 1'],
  [{ name: null }, "the option name must be a text, not null"],
  [{ signal: {} }, "the option signal must be an AbortSignal, not an object"],
])("%j is refused", (given, message) => {
  expect(() => readOptions("x()", given, kinds)).toThrow(message);
});

// Each build hangs some calls on it; a warning of Node's fails the test.
test("one signal may be given to any number of calls side by side", async () => {
  const { signal: given } = new AbortController();
  for (const one of [given, new ForeignSignal() as unknown as AbortSignal]) {
    const calls = Array.from({ length: 40 }, () => readOptions("build()", { signal: one }, kinds).signal);
    for (const taken of calls) taken.addEventListener("abort", () => {});
  }
  await wait(10);
});
