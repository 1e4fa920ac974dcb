import type { Writable } from "node:stream";
import { holdStream } from "../core/index.js";

/** Holds the streams that a build is to write, from the call on: each may fail long before its first byte comes. */
export function holdOutputs(options: { outputs?: unknown }): void {
  const outputs = (options as typeof options | null | undefined)?.outputs;
  if (!Array.isArray(outputs)) return;
  for (const output of outputs as unknown[]) {
    const dest = (output as { dest?: unknown } | null | undefined)?.dest;
    if (isNodeStream(dest)) holdStream(dest);
  }
}

/** Holds the streams of a command that is to run, likewise. */
export function holdStreams(...streams: readonly unknown[]): void {
  for (const stream of streams) if (isNodeStream(stream)) holdStream(stream);
}

function isNodeStream(value: unknown): value is Writable {
  return typeof (value as { on?: unknown } | null | undefined)?.on === "function";
}
