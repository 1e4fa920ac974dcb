import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { orAborted } from "../core/index.js";
import type { CliContext } from "./cli-context.js";

/** Asks for a line on a terminal; `hidden` shows nothing of what is typed. @throws AbortedError */
export async function askLine(
  { stdin, stderr, signal }: Pick<CliContext, "stdin" | "stderr" | "signal">,
  question: string,
  { hidden = false } = {},
): Promise<string> {
  stderr.text(question);
  // With a terminal, readline echoes by itself, to where nobody looks.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: hidden });
  try {
    lines.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
    const line = await orAborted(signal, lines.question("", { signal }));
    // A password may have blanks at its ends.
    return hidden ? line : line.trim();
  } finally {
    lines.close();
    if (hidden) stderr.text("\n");
  }
}
