import { closeSync } from "node:fs";
import { isatty } from "node:tty";

/**
 * Node puts the modes of its terminal back when it exits, and aborts (a message and a core dump) where that fails since
 * the terminal is gone. Of what has been closed it keeps off.
 */
export function forgetClosedTerminal(target: NodeJS.Process): void {
  // Before Node makes the streams: one of a file takes it a millisecond, and most are never used.
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  if (terminals.length === 0) return;
  target.on("exit", () => {
    for (const descriptor of terminals) if (!isatty(descriptor)) closeSync(descriptor);
  });
}
