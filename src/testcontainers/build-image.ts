import {
  type BuildCallOptions,
  BuildError,
  build,
  buildCallKinds,
  onErrorClosed,
  readBuildOptions,
} from "../build/index.js";
import type { Builder } from "../builder/index.js";
import { type Kind, either, isSlipwayError, kind } from "../core/index.js";
import type { EngineClient } from "../engine-api/index.js";
import { imageName } from "./image-name.js";
import { engineEnvironment, openRuntimeEngine } from "./runtime-engine.js";
import { sharedBuilder } from "./shared-builder.js";
import type { StartedBuildKitContainer } from "./started-buildkit-container.js";

/** Options of {@link buildImage}: those of `build()`, but for where it builds and where the result goes. */
export interface BuildImageOptions extends Omit<
  BuildCallOptions,
  "builder" | "address" | "tls" | "dial" | "env" | "load" | "outputs" | "push"
> {
  /**
   * Default: a BuildKitContainer with reuse, which all test files share. `"engine"` is the engine's own BuildKit: no container is
   * started and nothing is moved, but it can do only what the engine's release can.
   */
  builder?: StartedBuildKitContainer | Builder | string;
}

/**
 * Builds an image and loads into testcontainers' engine what is not there yet. Gives the name to run it by:
 * `new GenericContainer(await buildImage({ context: "." }))`.
 *
 * Without `tags` the name is made of the directory's and of what was asked for, so that building the same again moves the name; the
 * image that had it goes when no container uses it.
 *
 * @throws as `build()` does; the message of a BuildError has the failed step's last words and its place in the Dockerfile.
 */
export async function buildImage(given: BuildImageOptions): Promise<string> {
  const options = readBuildOptions("buildImage()", given, buildImageKinds);
  await using engine = await openRuntimeEngine();
  const { builder = await sharedBuilder(), ...rest } = options;
  const name = options.tags?.[0] ?? (await imageName(options));
  // A list without names is as none.
  const tags = options.tags?.length ? options.tags : undefined;
  const before = await imageId(engine, name);
  const place = await placeOf(builder, engine);
  try {
    await build({ describe: false, ...rest, ...place, tags: tags ?? [name], load: true });
  } catch (error) {
    throw forTestRunner(error);
  }
  if (before !== undefined && tags === undefined) await removeUnused(engine, before);
  return name;
}

/** Where builds on a builder run. */
export async function placeOf(
  builder: StartedBuildKitContainer | Builder | string,
  engine: EngineClient,
): Promise<Pick<BuildCallOptions, "builder" | "address" | "dial" | "tls" | "env">> {
  if (typeof builder === "object" && "target" in builder) return builder.target();
  return { builder: builder === engineBuilder ? "default" : builder, env: engineEnvironment(engine) };
}

/** What stands for the engine's own BuildKit, the builder of its docker context. */
const engineBuilder = "engine";

/** What `build()` takes, but for where it builds and where the result goes. */
const {
  address: _address,
  tls: _tls,
  dial: _dial,
  env: _env,
  load: _load,
  outputs: _outputs,
  push: _push,
  ...ownKinds
} = buildCallKinds;
export const buildImageKinds = {
  ...ownKinds,
  builder: either(
    "a BuildKitContainer that was started, a Builder or its name",
    buildCallKinds.builder,
    kind("a started container", (value) => typeof value === "object" && value !== null && "target" in value),
  ),
} satisfies Record<keyof Required<BuildImageOptions>, Kind>;

/** Of an error a test runner shows the message, then whatever hangs on it; the daemon's own error would be pages of that. */
export function forTestRunner(error: unknown): unknown {
  if (!(error instanceof BuildError)) return error;
  const { grpcCode, step, sources, files } = error;
  const told = new BuildError(error.explain(), { grpcCode, step, sources });
  if (!files) return told;
  told.files = files;
  onErrorClosed(told, () => error.close());
  return told;
}

async function imageId(engine: EngineClient, name: string): Promise<string | undefined> {
  try {
    return (await engine.images.inspect(name)).Id;
  } catch (error) {
    if (isSlipwayError(error, "ENGINE_NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Takes away an image that has lost its name; one that is in use, or has got another name, stays. */
async function removeUnused(engine: EngineClient, id: string): Promise<void> {
  try {
    const { RepoTags } = await engine.images.inspect(id);
    if ((RepoTags ?? []).length === 0) await engine.images.remove(id);
  } catch (error) {
    if (!isSlipwayError(error, "ENGINE_NOT_FOUND") && !isSlipwayError(error, "ENGINE_CONFLICT")) throw error;
  }
}
