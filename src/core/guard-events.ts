import { nextTurn } from "./next-turn.js";
import type { BuildEvent, EventSink } from "./progress.js";

/** A caller's sink, behind a guard. */
export interface GuardedEvents {
  /** Never throws, and leaves no rejection unhandled. */
  readonly sink: EventSink;
  /** Throws what the caller's function has thrown or rejected with, if it has. */
  throwIfFailed(): void;
}

/**
 * A caller's `onEvent` that may throw, or be async and reject: from then on it is told nothing more, and the work that it
 * watches goes on to its end, which then is to throw the same.
 */
export function guardEvents(onEvent: EventSink | undefined): GuardedEvents | undefined {
  if (onEvent === undefined) return undefined;
  let failure: { error: unknown } | undefined;
  const fail = (error: unknown): undefined => void (failure ??= { error });
  const attempt = (work: () => unknown): Promise<void> | undefined => {
    if (failure) return undefined;
    try {
      const answer = work();
      return isThenable(answer) ? Promise.resolve(answer).then(() => {}, fail) : undefined;
    } catch (error) {
      return fail(error);
    }
  };
  const sink: EventSink = (event: BuildEvent) => void attempt(() => onEvent(event));
  sink.ready = () => attempt(() => onEvent.ready?.());
  return {
    sink,
    throwIfFailed() {
      if (failure) throw failure.error;
    },
  };
}

/**
 * Runs work with a caller's sink behind a guard; what that threw is thrown when the work, which then is undone, is over.
 *
 * @param undo lets go of what the work gave and nobody will get.
 */
export async function withGuardedEvents<T>(
  onEvent: EventSink | undefined,
  work: (sink: EventSink | undefined) => Promise<T>,
  undo?: (result: T) => Promise<void>,
): Promise<T> {
  const events = guardEvents(onEvent);
  const result = await work(events?.sink);
  try {
    // What is async and rejects has had no turn yet.
    if (events) await nextTurn();
    events?.throwIfFailed();
  } catch (error) {
    await undo?.(result);
    throw error;
  }
  return result;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
