import type { BuildOptions } from "./build-options.js";
import type { BuildResult } from "./build-result.js";
import type { ConnectTarget } from "./connection.js";
import type { LiveFiles } from "./live/live-files.js";
import type { SolvePlan } from "./solve-plan.js";

/** Options of {@link build}: those of the build, and where it runs. */
export type BuildCallOptions = BuildOptions &
  ConnectTarget & {
    /** Read the image's manifests afterwards, for the result's platforms and layers. Default true. */
    describe?: boolean;
  };

/**
 * Connects to a builder, builds, and closes the connection. Without a named builder it is the current one; none is
 * created.
 *
 * @throws InvalidArgumentError before anything is dialled; BuildError for a failed step; AbortedError after tear-down.
 */
export async function build(options: BuildCallOptions): Promise<BuildResult> {
  // What builds is loaded by the first build, so that importing the library costs nothing to speak of.
  const { buildOnce } = await import("./connection.js");
  return buildOnce(options);
}

/**
 * Builds, and lets the result be looked into before it is exported; the build goes on when `look` has ended. What that throws ends
 * the build.
 *
 * @throws as {@link build} does; InvalidArgumentError for a build on several nodes.
 */
export async function buildAndLook(
  options: BuildCallOptions,
  look: (files: LiveFiles) => Promise<void>,
): Promise<BuildResult> {
  const { buildOnce } = await import("./connection.js");
  return buildOnce(options, look);
}

/** What makes another plan of one, before anything is dialled. */
export type PlanChange = (plan: SolvePlan) => SolvePlan | Promise<SolvePlan>;

/**
 * Builds what a plan becomes by `change`.
 *
 * @throws as {@link build} does; whatever `change` throws.
 */
export async function buildChanged(options: BuildCallOptions, change: PlanChange): Promise<BuildResult> {
  const { buildOnce } = await import("./connection.js");
  return buildOnce(options, undefined, change);
}
