import { setMaxListeners } from "node:events";
import { AbortedError, DeadlineError } from "./errors.js";
import { timerDelay } from "./timer-delay.js";

/** Throws {@link AbortedError} when the signal is already aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError(signal.reason);
}

/** A signal with a lifetime; dispose it to drop its timer and its listener on the parent. */
export interface LinkedSignal extends Disposable {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

/**
 * A signal that aborts with its parent, or after `milliseconds` with a {@link DeadlineError} that names `what`.
 * Unlike `AbortSignal.any`, disposing it leaves nothing behind on the parent.
 */
export function linkSignal(
  parent: AbortSignal | undefined,
  deadline?: { milliseconds: number; what: string },
): LinkedSignal {
  const controller = new AbortController();
  allowListeners(controller.signal);
  if (parent) allowListeners(parent);
  const onAbort = () => controller.abort(parent?.reason);
  if (parent?.aborted) onAbort();
  else parent?.addEventListener("abort", onAbort, { once: true });
  const timer =
    deadline && deadline.milliseconds > 0
      ? setTimeout(
          () => controller.abort(new DeadlineError(deadline.what, deadline.milliseconds)),
          timerDelay(deadline.milliseconds),
        )
      : undefined;
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", onAbort);
    },
  };
}

/** One build hangs more than ten calls on a signal, and a program many builds; Node would print a warning on its own. */
export function allowListeners(signal: AbortSignal): void {
  try {
    setMaxListeners(0, signal);
  } catch {
    // Not one of Node's, which are the only ones that warn: jsdom's, also in place of the global class.
  }
}

/** Runs `work` with a signal linked to `parent` and a deadline; a passed deadline rejects with {@link DeadlineError}. */
export async function withDeadline<T>(
  parent: AbortSignal | undefined,
  milliseconds: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const linked = linkSignal(parent, { milliseconds, what });
  try {
    return await untilAborted(linked.signal, work(linked.signal));
  } finally {
    linked[Symbol.dispose]();
  }
}

/**
 * Does the same with several things side by side, and gives the results in order. The first failure ends the others by their
 * signal, and is thrown when all are over.
 */
export async function sideBySide<T, R>(
  parent: AbortSignal | undefined,
  items: readonly T[],
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  using linked = linkSignal(parent);
  const { signal } = linked;
  const running = items.map((item) => work(item, signal));
  try {
    return await Promise.all(running);
  } catch (error) {
    linked.abort(error);
    await Promise.allSettled(running);
    throw error;
  }
}

/** The error an aborted signal stands for: its own deadline as it is, anything else as {@link AbortedError}. */
export function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof DeadlineError || reason instanceof AbortedError
    ? reason
    : new AbortedError(reason);
}

/** Settles as `promise` does, or rejects as soon as the signal aborts; the promise is then left to end by itself. */
export function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    if (signal.aborted) {
      promise.catch(() => {});
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/**
 * Settles as `promise` does, but what it fails with after the abort is the abort's: Node's `pipeline()` rejects with an
 * `AbortError` of its own, or with what a stream says that broke because of it.
 */
export async function orAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw signal?.aborted ? abortError(signal) : error;
  }
}

/** Waits, or rejects with the signal's error as soon as it aborts. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError(signal));
    const done = () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    };
    const timer = setTimeout(done, timerDelay(milliseconds));
    const onAbort = () => {
      clearTimeout(timer);
      reject(abortError(signal as AbortSignal));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
