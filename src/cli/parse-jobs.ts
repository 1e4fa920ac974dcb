import type { BakeOptions } from "../bake/index.js";
import { parseCsvFields } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";

const modes = new Set(["fail-fast", "defer-output", "defer-error"]);

/** What `--jobs` says of how targets run. */
export type Jobs = Pick<BakeOptions, "concurrency" | "deferOutputs" | "onTargetError">;

/**
 * Reads `N` or `MODE[,parallel=N]`; 0 and no text set no limit (buildx v0.38 `--jobs`).
 *
 * @throws InvalidArgumentError in buildx's words
 */
export function parseJobs(text: string): Jobs {
  const given = isInteger(text) ? new Map([["parallel", text]]) : optionsOf(text);
  const mode = given.get("mode") ?? "fail-fast";
  if (!modes.has(mode)) throw new InvalidArgumentError(`invalid jobs mode ${JSON.stringify(mode)}`);
  const most = parallelOf(given.get("parallel") ?? "0");
  return {
    ...(most > 0 && { concurrency: most }),
    ...(mode === "defer-output" && { deferOutputs: true }),
    ...(mode === "defer-error" && { onTargetError: "continue" as const }),
  };
}

function optionsOf(text: string): Map<string, string> {
  const given = new Map<string, string>();
  for (const field of text === "" ? [] : parseCsvFields(text)) {
    const at = field.indexOf("=");
    const [key, value] = at < 0 ? ["mode", field] : [field.slice(0, at), field.slice(at + 1)];
    if (key !== "mode" && key !== "parallel")
      throw new InvalidArgumentError(`unknown jobs option ${JSON.stringify(key)}`);
    if (given.has(key)) throw new InvalidArgumentError(`duplicate jobs option ${JSON.stringify(key)}`);
    given.set(key, value);
  }
  return given;
}

function isInteger(text: string): boolean {
  return /^[+-]?[0-9]+$/.test(text);
}

function parallelOf(text: string): number {
  const number = Number(text);
  if (isInteger(text) && number >= 0 && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError(
    `invalid jobs parallel value ${JSON.stringify(text)}: must be a non-negative integer`,
  );
}
