import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Builder } from "../builder/index.js";
import { buildxConfigDir, loadBuildkitdConfig } from "../config/index.js";
import { isSlipwayError } from "../core/index.js";
import { BuildKitContainer, sharedNamePrefix } from "./buildkit-container.js";
import { openRuntimeEngine } from "./runtime-engine.js";
import type { StartedBuildKitContainer } from "./started-buildkit-container.js";

/** What `slipway ls` shows the shared daemon as. */
const builderName = "slipway-testcontainers";

let shared: Promise<StartedBuildKitContainer> | undefined;

/**
 * The daemon of {@link buildImage}. It is configured by `buildkitd.default.toml` of the config directory, as the builders of the command
 * are, and by the mirror that testcontainers' own variable names. One a process; it stays where testcontainers' reuse is on, and
 * goes with the process's other containers where it is off.
 */
export function sharedBuilder(): Promise<StartedBuildKitContainer> {
  shared ??= startShared().catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

/**
 * Ends the daemon that `buildImage()` shares with all test files, with its cache: for the end of a whole suite, such as vitest's and Jest's
 * `globalTeardown`. It need not be the process that started it. Does nothing where there is none.
 *
 * @throws EngineError when the engine cannot be reached
 */
export async function stopSharedBuildKit(): Promise<void> {
  shared = undefined;
  await using engine = await openRuntimeEngine();
  const name = await sharedContainer().then((container) => container.sharedName());
  try {
    await engine.containers.remove(name, { force: true, volumes: true });
  } catch (error) {
    if (!isSlipwayError(error, "ENGINE_NOT_FOUND")) throw error;
  }
  await leaveOut(async () => {
    const builder = await listed();
    if (builder?.group.nodes[0]?.endpoint === endpointOf(name)) await builder.remove({ keepDaemon: true });
  });
}

async function startShared(): Promise<StartedBuildKitContainer> {
  const started = await (await sharedContainer()).start();
  const name = started.getName().replace(/^\//, "");
  if (name.startsWith(sharedNamePrefix)) await leaveOut(() => list(endpointOf(name)));
  return started;
}

/** Listed, it can be looked into and pruned like any other, and others can build on it. One of the user's of that name stays. */
async function list(endpoint: string): Promise<void> {
  const known = await listed();
  const before = known?.group.nodes[0]?.endpoint ?? "";
  if (before === endpoint || (known && !before.startsWith(endpointOf(sharedNamePrefix)))) return;
  await known?.remove({ keepDaemon: true });
  await Builder.create({ name: builderName, driver: "remote", endpoint });
}

async function listed(): Promise<Builder | undefined> {
  try {
    return await Builder.open({ name: builderName });
  } catch (error) {
    if (isSlipwayError(error, "STORE_NO_BUILDER")) return undefined;
    throw error;
  }
}

function endpointOf(container: string): string {
  return `docker-container://${container}`;
}

/** A store that cannot be used keeps no test from running. */
async function leaveOut(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isSlipwayError(error)) throw error;
  }
}

async function sharedContainer(): Promise<BuildKitContainer> {
  const container = new BuildKitContainer().withReuse();
  const path = join(buildxConfigDir(process.env), "buildkitd.default.toml");
  if (await isThere(path)) {
    const files = await loadBuildkitdConfig(path);
    const hash = createHash("sha256");
    for (const [name, content] of files) {
      hash.update(content);
      if (name === "buildkitd.toml") container.withConfig(content.toString("utf8"));
      else container.withCopyContentToContainer([{ content, target: `/etc/buildkit/${name}` }]);
    }
    // Other certificates make another daemon.
    container.withLabels({ "io.slipway.testcontainers.files": hash.digest("hex") });
  }
  // A mirror of Docker Hub, as a place that names of its images are put behind: `mirror.example.com/` or `…/hub/`.
  const mirror = (process.env["TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX"] ?? "").replace(/\/$/, "");
  if (mirror !== "") container.withRegistryMirror(mirror);
  return container;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
