import { stat } from "node:fs/promises";
import { githubActionsContext, parseGoBool } from "../../config/index.js";
import type { VertexWriter } from "../../core/index.js";
import { EngineError } from "../../engine-api/index.js";
import { parseReference, repositoryName } from "../../registry/index.js";
import { DriverError } from "../driver-error.js";
import { configArchive } from "./config-archive.js";
import {
  type ContainerPlan,
  containerName,
  containerSpec,
  wantsGpus,
  wslLibraries,
} from "./container-spec.js";
import type { ContainerContext } from "./container-context.js";
import { makeSocketDirectory, removeSocketDirectory } from "./socket-directory.js";

/** Options of {@link createContainer}. */
export interface CreateContainerOptions {
  vertex: VertexWriter;
  signal?: AbortSignal | undefined;
  /** Leave out what some engines refuse: the mounted socket directory and GPUs. */
  plain?: boolean;
  /** Do not pull; the image was just pulled or is known to be there. */
  skipPull?: boolean;
}

/** What {@link createContainer} did. `conflict`: somebody else's create came first. */
export type CreateOutcome = { made: false; conflict: true } | { made: true; extras: boolean };

/**
 * Pulls the image, creates the node's container, copies the config in and starts it. Config goes in while the container
 * is `created`: never into a live one, whose file system its own processes could rearrange (CVE-2018-15664).
 *
 * Where the engine refuses the extras (socket mount, GPUs) the container is made again without them.
 *
 * @throws EngineError what the engine said to pull, create, archive or start.
 */
export async function createContainer(
  node: ContainerContext,
  { vertex, signal, plain = false, skipPull = false }: CreateContainerOptions,
): Promise<CreateOutcome> {
  const name = containerName(node.nodeName);
  const { engine } = node;
  refuseDefaultPolicy(node);
  if (!skipPull) await pullImage(node, vertex, signal);
  return vertex.status(`creating container ${name}`, async () => {
    const info = await engine.info({ signal });
    const query = { parent: node.socketParent, containerName: name, localEngine: engine.isLocalSocket, info };
    const wantsMount = !plain && node.connect !== "exec";
    const directory = wantsMount ? await makeSocketDirectory({ ...query, flags: node.flags }) : undefined;
    const plan: ContainerPlan = {
      nodeName: node.nodeName,
      options: node.options,
      flags: node.flags,
      files: node.files,
      labels: node.labels,
      info,
      gpus: !plain,
      wslLibraries: await hasWslLibraries(node),
      socket: directory === undefined ? undefined : { directory, gid: process.getgid?.() ?? 0 },
    };
    const extras = directory !== undefined || wantsGpus(plan);
    let made = false;
    try {
      await engine.containers.create(name, containerSpec(plan), { signal });
      made = true;
      await copyConfig(node, signal);
      await engine.containers.start(name, { signal });
      return { made: true, extras };
    } catch (error) {
      if (directory !== undefined) await removeSocketDirectory(directory);
      if (!made && error instanceof EngineError && error.status === 409)
        return { made: false, conflict: true };
      if (made) await engine.containers.remove(name, { force: true, volumes: false }).catch(() => {});
      if (!extras || signal?.aborted) throw await withRemedy(node, error, signal);
      return createContainer(node, { vertex, signal, plain: true, skipPull: true });
    }
  });
}

/** An error of the engine's about a network that is not there, with what to do about it. */
async function withRemedy(
  { engine, options: { network } }: ContainerContext,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (!network || !(error instanceof EngineError) || signal?.aborted) return error;
  const isAbsent = await engine.networks.inspect(network, { signal }).then(
    () => false,
    (reason: unknown) => reason instanceof EngineError && reason.status === 404,
  );
  if (!isAbsent) return error;
  return new DriverError(
    "DRIVER_BOOT",
    `there is no network ${network} on the engine at ${engine.host}, which the driver option network asks for: ` +
      `make it (docker network create ${network}), or make the builder again with another`,
    { cause: error },
  );
}

/** Copies the node's config files into its container, which must not have been started yet (SEC-10, SEC-11). */
export async function copyConfig(node: ContainerContext, signal: AbortSignal | undefined): Promise<void> {
  const files = new Map(node.files);
  if (node.options.provenanceAddGha) {
    const context = await githubActionsContext(node.env);
    if (context) files.set("provenance.d/github_actions_context.json", context);
  }
  await node.engine.containers.putArchive(containerName(node.nodeName), {
    path: "/etc",
    body: configArchive(files),
    noOverwriteDirNonDir: true,
    signal,
  });
}

/** Signatures are not checked here, and an image whose signature was to be checked must not pass for one that was. */
function refuseDefaultPolicy({ env, options: { image } }: ContainerContext): void {
  if (parseGoBool(env["BUILDX_DEFAULT_POLICY"] ?? "") !== true) return;
  const reference = parseReference(image);
  const pinned = reference.digest !== undefined && reference.tag === undefined;
  if (pinned || repositoryName(reference) !== "docker.io/moby/buildkit") return;
  throw new DriverError(
    "DRIVER_UNSUPPORTED",
    `BUILDX_DEFAULT_POLICY asks for the signature of ${image} to be checked, which slipway cannot; ` +
      "unset it, or name the image by its digest alone (driver option image=moby/buildkit@sha256:…)",
  );
}

async function pullImage(
  node: ContainerContext,
  vertex: VertexWriter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { image } = node.options;
  try {
    await vertex.status(`pulling image ${image}`, async () => {
      const registryAuth = await node.pullAuth?.(image, signal);
      await node.engine.images.pull(image, { registryAuth, signal });
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    // Offline machines and local images: what is there will do (buildx driver.go create).
    const held = await node.engine.images.inspect(image, { signal }).then(
      () => true,
      () => false,
    );
    if (!held) throw error;
    await vertex.status(`using local image ${image}`, () => Promise.resolve());
  }
}

async function hasWslLibraries(node: ContainerContext): Promise<boolean> {
  if (!node.env["WSL_DISTRO_NAME"] || !node.engine.isLocalSocket) return false;
  return stat(wslLibraries).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}
