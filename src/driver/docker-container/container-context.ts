import type { Environment } from "../../config/index.js";
import {
  type ContainerInspect,
  type EngineClient,
  EngineError,
  type MountPoint,
  type RegistryAuth,
} from "../../engine-api/index.js";
import { DriverError } from "../driver-error.js";
import {
  configDigest,
  configDigestLabel,
  containerName,
  stateDirectory,
  stateVolumeName,
} from "./container-spec.js";
import type { DockerContainerOptions } from "./options.js";

/** How bytes get to buildkitd: the best way there is, always `docker exec`, or always the builder's own socket. */
export type ConnectMode = "auto" | "exec" | "socket";

/** Everything a docker-container node's verbs work with. */
export interface ContainerContext {
  engine: EngineClient;
  nodeName: string;
  options: DockerContainerOptions;
  /** buildkitd flags as stored in the node. */
  flags: readonly string[];
  /** Config files by path relative to `/etc/buildkit`, as stored in the node. */
  files: ReadonlyMap<string, Uint8Array>;
  /** More labels of the container and its state volume. */
  labels?: Readonly<Record<string, string>> | undefined;
  connect: ConnectMode;
  env: Environment;
  /** Directory for sockets that builders share with this user; made when needed. */
  socketParent: string;
  /** Credentials for pulling an image, when there are any for its registry. */
  pullAuth?: ((image: string, signal?: AbortSignal) => Promise<RegistryAuth | undefined>) | undefined;
  /** How long a started builder may take until it answers, in ms. */
  bootMilliseconds: number;
  /** Whether the node still is in the store; asked after it was booted (STO-8). */
  isWanted?: (() => Promise<boolean>) | undefined;
}

/**
 * The node's container, or undefined when there is none.
 *
 * @throws DriverError `DRIVER_FOREIGN_CONTAINER` when a container of that name is not a builder: it has neither
 * slipway's label nor the node's state volume (STO-9).
 */
export async function inspectNode(
  node: ContainerContext,
  signal: AbortSignal | undefined,
): Promise<ContainerInspect | undefined> {
  const name = containerName(node.nodeName);
  let container: ContainerInspect;
  try {
    container = await node.engine.containers.inspect(name, { signal });
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  }
  if (!isBuilderContainer(node.nodeName, container.Config.Labels, container.Mounts))
    throw foreignContainer(node.nodeName);
  return container;
}

/** Whether a container is the node's: it has slipway's label or the node's state volume (STO-9). */
export function isBuilderContainer(
  nodeName: string,
  labels: Readonly<Record<string, string>> | null | undefined,
  mounts: readonly MountPoint[],
): boolean {
  const volume = stateVolumeName(nodeName);
  return (
    labels?.[configDigestLabel] !== undefined ||
    mounts.some(({ Destination, Name }) => Destination === stateDirectory && Name === volume)
  );
}

/** True for a container of slipway's whose config is not the node's any more. buildx's carry no label and stay as they are. */
export function hasOtherConfig(node: ContainerContext, container: ContainerInspect): boolean {
  const digest = container.Config.Labels?.[configDigestLabel];
  return digest !== undefined && digest !== configDigest(node.files);
}

/** Says that a container has a node's name and is not its (STO-9). */
export function foreignContainer(nodeName: string): DriverError {
  const volume = stateVolumeName(nodeName);
  return new DriverError(
    "DRIVER_FOREIGN_CONTAINER",
    `container ${containerName(nodeName)} exists but is not a builder (no volume ${volume} at ${stateDirectory}); remove or rename it, or choose another builder name`,
  );
}
