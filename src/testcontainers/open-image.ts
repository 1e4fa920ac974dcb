import {
  type OpenResult,
  type OpenResultOptions,
  openCallKinds,
  openResult,
  readBuildOptions,
} from "../build/index.js";
import type { Kind } from "../core/index.js";
import { type BuildImageOptions, buildImageKinds, forTestRunner, placeOf } from "./build-image.js";
import { openRuntimeEngine } from "./runtime-engine.js";
import { sharedBuilder } from "./shared-builder.js";

/** Options of {@link openImage}: those of {@link buildImage}, and how long an unused result is kept. */
export type OpenImageOptions = BuildImageOptions & OpenResultOptions;

/**
 * Builds an image that a test only looks at: its files are read, and commands run in it, in the builder. Nothing is loaded into an
 * engine, and no container is started for it. Close it when done.
 *
 * @throws as `openResult()` does; the message of a BuildError has the failed step's last words and its place in the Dockerfile.
 */
export async function openImage(given: OpenImageOptions): Promise<OpenResult> {
  const options = readBuildOptions("openImage()", given, openImageKinds);
  await using engine = await openRuntimeEngine();
  const { builder = await sharedBuilder(), ...rest } = options;
  try {
    return await openResult({ ...rest, ...(await placeOf(builder, engine)) });
  } catch (error) {
    throw forTestRunner(error);
  }
}

const openImageKinds = {
  ...buildImageKinds,
  idleMilliseconds: openCallKinds.idleMilliseconds,
} satisfies Record<keyof Required<OpenImageOptions>, Kind>;
