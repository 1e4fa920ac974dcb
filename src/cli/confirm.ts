import { createInterface } from "node:readline/promises";
import { throwIfAborted } from "../core/index.js";
import type { CliContext } from "./cli-context.js";

/** Asks on stdout and reads one line from stdin; only `y` and `Y` are a yes (buildx commands/util.go). */
export async function confirm(
  { stdin, stdout, signal }: Pick<CliContext, "stdin" | "stdout" | "signal">,
  message: string,
): Promise<boolean> {
  stdout.text(`${message} [y/N] `);
  const lines = createInterface({ input: stdin });
  try {
    const onAbort = () => lines.close();
    signal.addEventListener("abort", onAbort, { once: true });
    for await (const line of lines) return /^\s*[yY]\s*$/.test(line);
    throwIfAborted(signal); // it has no answer then
    return false;
  } finally {
    lines.close();
  }
}
