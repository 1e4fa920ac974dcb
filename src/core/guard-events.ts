import { guardCalls } from "./guard-calls.js";
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
  const { attempt, throwIfFailed } = guardCalls();
  const sink: EventSink = (event: BuildEvent) => void attempt(() => onEvent(event));
  sink.ready = () => attempt(() => onEvent.ready?.());
  return { sink, throwIfFailed };
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
