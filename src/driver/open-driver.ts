import { join } from "node:path";
import {
  type DockerConfig,
  type DockerEndpoint,
  type Environment,
  buildxConfigDir,
} from "../config/index.js";
import { dockerCredentials, engineAuth } from "../registry/index.js";
import { DockerContainerDriver } from "./docker-container/docker-container-driver.js";
import type { ConnectMode } from "./docker-container/node-context.js";
import { parseDriverOptions } from "./docker-container/options.js";
import { type ReapQuery, type Reaped, reapContainers } from "./docker-container/reap.js";
import type { Driver } from "./driver.js";
import { DriverError } from "./driver-error.js";
import { openEngine } from "./open-engine.js";

/** What {@link openDriver} needs to know of a node. */
export interface DriverSpec {
  /** Driver name as stored with the builder. */
  driver: string;
  nodeName: string;
  endpoint: DockerEndpoint;
  driverOpts: Readonly<Record<string, string>>;
  flags: readonly string[];
  files: ReadonlyMap<string, Uint8Array>;
  /** Labels for what the driver makes on the engine, beyond its own. */
  labels?: Readonly<Record<string, string>> | undefined;
  env: Environment;
  /** Default `auto`, or `SLIPWAY_CONNECT` of the environment. */
  connect?: ConnectMode | undefined;
  /** Where credentials for pulling the builder image come from. */
  dockerConfig?: DockerConfig | undefined;
  /** How long a started builder may take until it answers. Default 60,000 ms. */
  bootMilliseconds?: number | undefined;
  /** Whether the node still is in the store. Asked after it was booted, which takes a while (STO-8). Default: it is. */
  isWanted?: (() => Promise<boolean>) | undefined;
}

/**
 * The driver of a node. Nothing is dialled yet.
 *
 * @throws DriverError `DRIVER_OPTION` for unusable options, `DRIVER_UNSUPPORTED` for a driver slipway does not have.
 */
export function openDriver(spec: DriverSpec): Driver {
  if (spec.driver !== "docker-container")
    throw new DriverError(
      "DRIVER_UNSUPPORTED",
      `slipway has no driver "${spec.driver}"; make a container builder with: slipway create --driver docker-container --use`,
    );
  const options = parseDriverOptions(spec.driverOpts);
  const connect = spec.connect ?? connectMode(spec.env["SLIPWAY_CONNECT"] || "auto");
  const { dockerConfig: config, env } = spec;
  const credentials = dockerCredentials({ env, config });
  return new DockerContainerDriver({
    engine: openEngine(spec.endpoint, spec.env),
    nodeName: spec.nodeName,
    options,
    flags: spec.flags,
    files: spec.files,
    labels: spec.labels,
    connect,
    env: spec.env,
    socketParent: socketParent(spec.env),
    pullAuth: (image, signal) => engineAuth(image, credentials, signal),
    bootMilliseconds: spec.bootMilliseconds ?? 60_000,
    isWanted: spec.isWanted,
  });
}

function socketParent(env: Environment): string {
  return join(buildxConfigDir(env), "slipway", "run");
}

/**
 * {@link reapContainers} on an engine.
 *
 * @throws EngineError when the engine cannot be asked what there is.
 */
export async function reapEngine(
  endpoint: DockerEndpoint,
  env: Environment,
  query: Omit<ReapQuery, "engine" | "socketParent">,
): Promise<Reaped> {
  const engine = openEngine(endpoint, env);
  try {
    return await reapContainers({ ...query, engine, socketParent: socketParent(env) });
  } finally {
    await engine.close();
  }
}

/** @throws DriverError `DRIVER_OPTION` for anything but `auto`, `exec` and `socket`. */
export function connectMode(text: string): ConnectMode {
  if (text === "auto" || text === "exec" || text === "socket") return text;
  throw new DriverError("DRIVER_OPTION", `invalid connect mode "${text}", expecting auto, exec or socket`);
}
