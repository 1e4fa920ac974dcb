import type { Writable } from "node:stream";
import { holdStream } from "../core/index.js";
import type { BuildOptions } from "./build-options.js";

/** Holds the streams that a build is to write, from the call on: each may fail long before its first byte comes. */
export function holdOutputs(options: BuildOptions): void {
  const { outputs } = (options as BuildOptions | null | undefined) ?? {};
  if (!Array.isArray(outputs)) return;
  for (const output of outputs as BuildOptions["outputs"] & object) {
    const dest = (output as typeof output | null | undefined)?.dest;
    if (typeof dest === "object" && typeof (dest as { on?: unknown } | null)?.on === "function")
      holdStream(dest);
  }
}

function isNodeStream(value: unknown): value is Writable {
  return typeof (value as { on?: unknown } | null | undefined)?.on === "function";
}
