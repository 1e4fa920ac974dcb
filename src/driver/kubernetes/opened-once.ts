import { untilAborted } from "../../core/index.js";

/**
 * Opens something at the first call, for all callers. A signal ends its own caller's waiting only, and a failure is not kept: the
 * next call tries again.
 */
export function openedOnce<T>(open: () => Promise<T>): (signal: AbortSignal | undefined) => Promise<T> {
  let opened: Promise<T> | undefined;
  return (signal) => {
    if (!opened) {
      const opening = (opened = open());
      opening.catch(() => {
        if (opened === opening) opened = undefined;
      });
    }
    return signal ? untilAborted(signal, opened) : opened;
  };
}
