import type { BuildEvent } from "../core/index.js";
import type { BuildResult } from "./build-result.js";
import type { ConnectTarget, Connection } from "./connection.js";
import type { PlannedOptions } from "./planned-options.js";

/** One of several targets. Its contexts of the form `target:NAME` are the results of others. */
export type TargetOptions = Omit<PlannedOptions, "env" | "onEvent" | "onFailure" | "retries" | "signal">;

/** How {@link buildMany} runs targets. */
export interface BuildManyOptions extends ConnectTarget {
  /** Builds on it, and leaves it open. */
  connection?: Connection | undefined;
  /** What becomes of the others when one fails: `cancel` (the default) ends them. */
  onTargetError?: "cancel" | "continue" | undefined;
  /** Write no output before all have been built. */
  deferOutputs?: boolean | undefined;
  /** How many run at the same time; all by default, and with 0. */
  concurrency?: number | undefined;
  /** See `build()`. */
  describe?: boolean | undefined;
  /** Gets a target's own events. */
  onTargetEvent?: ((target: string, event: BuildEvent) => void) | undefined;
  /** What was asked for, as the builder's store keeps it. */
  asked?: readonly string[] | undefined;
}

/** The results of several targets. */
export interface ManyResults {
  results: Map<string, BuildResult>;
  /** Of targets that failed while others went on. */
  failures: Map<string, Error>;
}

/**
 * Builds targets side by side on one builder (buildx v0.38 build/build.go Build): all are planned before anything is dialled, and
 * start in order of their names.
 *
 * @throws InvalidArgumentError before anything is dialled; a target's own error, or TargetsError for those of several; AbortedError
 * after tear-down.
 */
export async function buildMany(
  targets: ReadonlyMap<string, TargetOptions>,
  options: BuildManyOptions,
): Promise<ManyResults> {
  // What builds is loaded by the first build.
  const { runMany } = await import("./run-many.js");
  return runMany(targets, options);
}
