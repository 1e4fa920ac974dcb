import type { BuildOptions, BuildResult } from "../build/index.js";
import { type Environment, parseGoBool } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { prepareResultFile } from "../fs/index.js";
import { dedupeWarnings, warningJson } from "../progress/index.js";

/** Files that a build's result is written to. */
export interface ResultFiles {
  write(result: BuildResult, env: Environment, signal: AbortSignal): Promise<void>;
}

/**
 * Prepares `--iidfile` and `--metadata-file`: that they can be written is checked before the build, and a stale image id is
 * removed, so that a failed one leaves none behind.
 *
 * @throws FileWriteError that names the file
 */
export async function prepareResultFiles(
  paths: { imageId: string | undefined; metadata: string | undefined },
  options: BuildOptions,
): Promise<ResultFiles> {
  if (paths.imageId !== undefined) {
    const types = (options.outputs ?? []).map(({ type }) => type);
    if (types.includes("local") || types.includes("tar"))
      throw new InvalidArgumentError("local and tar exporters are incompatible with image ID file");
  }
  const imageId =
    paths.imageId === undefined ? undefined : await prepareResultFile(paths.imageId, "image ID file");
  const metadataFile =
    paths.metadata === undefined ? undefined : await prepareResultFile(paths.metadata, "metadata file");
  await imageId?.discard();
  return {
    async write(result, env, signal) {
      await imageId?.write(result.imageId ?? "", signal);
      if (!metadataFile) return;
      const metadata = { ...result.metadata };
      const wantsWarnings = parseGoBool(env["BUILDX_METADATA_WARNINGS"] ?? "") === true;
      if (wantsWarnings && !result.call && result.warnings.length > 0)
        metadata["buildx.build.warnings"] = dedupeWarnings(result.warnings).map(warningJson);
      const text = JSON.stringify(metadata, undefined, 2);
      await metadataFile.write(text, signal);
    },
  };
}
