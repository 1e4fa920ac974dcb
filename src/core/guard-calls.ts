import { nextTurn } from "./next-turn.js";

/** Calls a caller's functions which may throw, or be async and reject. */
export interface CallGuard {
  /** Calls one, unless one has failed already. Never throws; what it gives resolves when an async one is done, and never rejects. */
  readonly attempt: (work: () => unknown) => Promise<void> | undefined;
  /** Throws what a function has thrown or rejected with, if one has. */
  readonly throwIfFailed: () => void;
}

/**
 * A guard for functions that are told things while work goes on: what one of them throws, or rejects with, neither ends the
 * process nor the work. They are told nothing more, and the work's end then is to throw the same.
 */
export function guardCalls(): CallGuard {
  let failure: { error: unknown } | undefined;
  const fail = (error: unknown): undefined => void (failure ??= { error });
  return {
    attempt(work) {
      if (failure) return undefined;
      try {
        const answer = work();
        return isThenable(answer) ? Promise.resolve(answer).then(() => {}, fail) : undefined;
      } catch (error) {
        return fail(error);
      }
    },
    throwIfFailed() {
      if (failure) throw failure.error;
    },
  };
}

/**
 * Runs work with a caller's function that is told warnings behind a guard, and throws at its end what that threw;
 * `undo` lets go of what the work gave and nobody will get.
 */
export async function withGuardedWarnings<T>(
  onWarning: ((text: string) => unknown) | undefined,
  work: (onWarning: ((text: string) => void) | undefined) => Promise<T>,
  undo?: (result: T) => Promise<void>,
): Promise<T> {
  if (onWarning === undefined) return work(undefined);
  const guard = guardCalls();
  const result = await work((text) => void guard.attempt(() => onWarning(text)));
  try {
    // What is async and rejects has had no turn yet.
    await nextTurn();
    guard.throwIfFailed();
  } catch (error) {
    await undo?.(result);
    throw error;
  }
  return result;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
