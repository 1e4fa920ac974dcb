import { closeSync } from "node:fs";
import { isatty } from "node:tty";

/**
 * Node puts the modes of its terminal back when it exits, and aborts (a message and a core dump) where that fails since
 * the terminal is gone. Of what has been closed it keeps off.
 */
export function forgetClosedTerminal(target: NodeJS.Process): void {
  const streams = [target.stdin, target.stdout, target.stderr];
  target.on("exit", () => {
    for (const [descriptor, stream] of streams.entries())
      if (stream.isTTY && !isatty(descriptor)) closeSync(descriptor);
  });
}
