import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { orAborted } from "../core/index.js";
import type { CliContext } from "./cli-context.js";

/** Copies both ways until the other side ends the connection; the end of stdin is handed on to it. */
export async function proxyStdio(
  stream: Duplex,
  { stdin, stdout, signal }: Pick<CliContext, "stdin" | "stdout" | "signal">,
): Promise<void> {
  stdin.on("error", () => stream.end());
  stdin.pipe(stream);
  try {
    await orAborted(signal, pipeline(stream, stdout.stream, { end: false, signal }));
  } finally {
    // What is still coming in has nowhere to go, and would keep the process.
    stdin.unpipe(stream);
    stdin.destroy();
  }
}
