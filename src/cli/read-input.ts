import { abortError, holdStream, orAborted, throwIfAborted } from "../core/index.js";
import type { CliContext } from "./cli-context.js";

/**
 * Runs what reads standard input to its end. When the command is cancelled, the input is let go of: a read that went on would hold
 * up both the command and, after it, the process.
 *
 * @throws AbortedError
 */
export async function readInput<T>(
  { stdin, signal }: Pick<CliContext, "stdin" | "signal">,
  read: (stdin: CliContext["stdin"]) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  holdStream(stdin);
  const letGo = () => void stdin.destroy(abortError(signal));
  signal.addEventListener("abort", letGo, { once: true });
  try {
    return await orAborted(signal, read(stdin));
  } finally {
    signal.removeEventListener("abort", letGo);
  }
}
