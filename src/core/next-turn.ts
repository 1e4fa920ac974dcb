/** Resolves in the next turn of the event loop, when what has come in meanwhile was handled. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    // Not the function of node:timers/promises: see real-timers.ts.
    setImmediate(resolve);
  });
}
