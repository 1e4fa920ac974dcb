import type { BuildOptions } from "./build-options.js";
import type { BuildResult } from "./build-result.js";
import type { ConnectTarget } from "./connection.js";

/** Options of {@link build}: those of the build, and where it runs. */
export type BuildCallOptions = BuildOptions &
  ConnectTarget & {
    /** Read the image's manifests afterwards, for the result's platforms and layers. Default true. */
    describe?: boolean;
  };

/**
 * Builds: connects, builds, closes. The builder is the current one if none is named; none is created behind the
 * caller's back.
 *
 * @throws InvalidArgumentError before anything is dialled; BuildError for a failed step; AbortedError after tear-down.
 */
export async function build(options: BuildCallOptions): Promise<BuildResult> {
  // What builds is loaded by the first build, so that importing the library costs nothing to speak of.
  const { buildOnce } = await import("./connection.js");
  return buildOnce(options);
}
