import { rm, writeFile } from "node:fs/promises";
import type { BuildOptions, BuildResult } from "../build/index.js";
import { type Environment, parseGoBool } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { writeFileAtomic } from "../fs/index.js";
import { dedupeWarnings, warningJson } from "../progress/index.js";

/** Files that a build's result is written to. */
export interface ResultFiles {
  write(result: BuildResult, env: Environment): Promise<void>;
}

/**
 * Prepares `--iidfile` and `--metadata-file`: a stale image id is removed before the build, so that a failed one leaves
 * none behind.
 */
export async function prepareResultFiles(
  paths: { imageId: string | undefined; metadata: string | undefined },
  options: BuildOptions,
): Promise<ResultFiles> {
  if (paths.imageId !== undefined) {
    const types = (options.outputs ?? []).map(({ type }) => type);
    if (types.includes("local") || types.includes("tar"))
      throw new InvalidArgumentError("local and tar exporters are incompatible with image ID file");
    await rm(paths.imageId, { force: true });
  }
  return {
    async write(result, env) {
      if (paths.imageId !== undefined) await writeFile(paths.imageId, result.imageId ?? "");
      if (paths.metadata === undefined) return;
      const metadata = { ...result.metadata };
      const wantsWarnings = parseGoBool(env["BUILDX_METADATA_WARNINGS"] ?? "") === true;
      if (wantsWarnings && !result.call && result.warnings.length > 0)
        metadata["buildx.build.warnings"] = dedupeWarnings(result.warnings).map(warningJson);
      const text = JSON.stringify(metadata, undefined, 2);
      await writeFileAtomic(paths.metadata, Buffer.from(text), { mode: 0o666 & ~process.umask() });
    },
  };
}
