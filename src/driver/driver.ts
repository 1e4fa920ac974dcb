import type { Duplex } from "node:stream";
import type { BuildkitClient } from "../buildkit/index.js";
import type { EventSink } from "../core/index.js";

/** Where a builder's node stands. `inactive`: it does not exist yet (buildx driver.Status). */
export type NodeStatus = "inactive" | "starting" | "running" | "stopping" | "stopped";

/** What builds may ask of a node, beyond plain solving (buildx driver.Feature). */
export interface DriverFeatures {
  /** A build that names no output is loaded into the engine (`default-load`). */
  readonly defaultLoad: boolean;
  readonly ociExporter: boolean;
  readonly dockerExporter: boolean;
  readonly cacheExport: boolean;
  readonly multiPlatform: boolean;
  readonly directPush: boolean;
}

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
  status(options?: DriverCallOptions): Promise<NodeStatus>;
  /**
   * Makes the node run when it does not, and opens a connection of its own that has answered a first call. The caller
   * closes it.
   */
  connect(options?: ConnectOptions): Promise<BuildkitClient>;
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
