import type { Duplex } from "node:stream";
import type { BuildkitClient } from "../buildkit/index.js";
import type { EventSink } from "../core/index.js";

/** Where a builder's node stands. `inactive`: it does not exist yet (buildx driver.Status). */
export type NodeStatus = "inactive" | "starting" | "running" | "stopping" | "stopped";

/** What holds for all builds of a driver, whatever the daemon. */
export interface DriverFeatures {
  /** A build that names no output is loaded into the engine (`default-load`). */
  readonly defaultLoad: boolean;
  /** The daemon is the engine's own: what is built lands in the engine's store, and bases are taken from there (buildx IsMobyDriver). */
  readonly engineStore: boolean;
  /** The driver makes, starts, stops and removes the daemon; otherwise that is there, or not. */
  readonly ownsDaemon: boolean;
  /** Something else replaces a daemon that was lost, as a cluster does: what was lost with it can be tried again on the same node. */
  readonly replacesDaemon?: boolean;
}

/** One of several daemons behind a node, as a pod of a Deployment. */
export interface DriverInstance {
  name: string;
  status: NodeStatus;
}

/** What builds may ask of a node's daemon, beyond plain solving (buildx driver.Feature). */
export interface NodeFeatures {
  readonly ociExporter: boolean;
  /** Image archives in docker's format. */
  readonly dockerExporter: boolean;
  /** Caches other than inline can be exported. */
  readonly cacheExport: boolean;
  /** Several platforms in one image, and attestations beside it. */
  readonly multiPlatform: boolean;
  /** The daemon pushes; otherwise the engine has to, from its store. */
  readonly directPush: boolean;
  /** An image's id is the digest of its manifest or index. */
  readonly preferImageDigest: boolean;
  /** Address of the engine's machine as build steps see it, which `--add-host NAME:host-gateway` means. */
  readonly hostGateway?: string;
}

/** Features of a buildkitd that is not part of an engine. */
export const allNodeFeatures: NodeFeatures = {
  ociExporter: true,
  dockerExporter: true,
  cacheExport: true,
  multiPlatform: true,
  directPush: true,
  preferImageDigest: false,
};

/** Options of every driver verb. */
export interface DriverCallOptions {
  signal?: AbortSignal | undefined;
}

/** Options of {@link Driver.connect}. */
export interface ConnectOptions extends DriverCallOptions {
  /** Gets the vertex `[internal] booting buildkit`, when there is something to boot, and what is waited for when that takes long. */
  sink?: EventSink | undefined;
  /** Make and start what is not there yet. Default true; false rejects with `DRIVER_NOT_RUNNING` instead. */
  boot?: boolean;
  /** The daemon of this name, of a node that has several. */
  instance?: string | undefined;
  /** What is given the same text goes to the same of several daemons, as far as these stay: the absolute path of a build's context. */
  affinity?: string | undefined;
}

/** Options of {@link Driver.diagnose}. */
export interface DiagnoseOptions extends DriverCallOptions {
  /** When what is to be explained began, in ms since 1970: what the daemon logged before is left out. */
  since: number;
}

/** Options of {@link Driver.remove}. */
export interface RemoveOptions extends DriverCallOptions {
  /** Keep the state volume, and with it the build cache. Default false. */
  keepState?: boolean;
}

/**
 * How to get a live BuildKit for one node of a builder. Every method may be called at any time, from several processes
 * at once; none keeps state of its own beyond the engine connection.
 */
export interface Driver {
  readonly name: string;
  readonly features: DriverFeatures;
  /** What the daemon on the other end of a connection can do. */
  nodeFeatures(client: BuildkitClient, options?: DriverCallOptions): Promise<NodeFeatures>;
  status(options?: DriverCallOptions): Promise<NodeStatus>;
  /**
   * Makes the node run when it does not, and opens a connection of its own that has answered a first call. The caller closes
   * it.
   */
  connect(options?: ConnectOptions): Promise<BuildkitClient>;
  /** Daemons of the node at the moment, of drivers that may have several. */
  instances?(options?: DriverCallOptions): Promise<DriverInstance[]>;
  /** Like {@link connect}, but gives the bare connection, on which nothing has been said yet. */
  dial(options?: ConnectOptions): Promise<Duplex>;
  /** BuildKit's version by asking the program itself, for daemons too old for Control.Info. */
  version(options?: DriverCallOptions): Promise<string>;
  stop(options?: DriverCallOptions): Promise<void>;
  remove(options?: RemoveOptions): Promise<void>;
  /** One sentence on why a connection may have died: removed, paused, out of memory… Undefined when all looks well. */
  diagnose(options: DiagnoseOptions): Promise<string | undefined>;
  close(): Promise<void>;
}
