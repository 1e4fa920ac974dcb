import type { DockerConfig, Environment } from "../config/index.js";
import type { ConnectMode } from "./docker-container/container-context.js";
import { containerOptionNames, parseDriverOptions } from "./docker-container/options.js";
import { checkDockerSettings } from "./docker/settings.js";
import type { Driver } from "./driver.js";
import { DriverError } from "./driver-error.js";
import { kubernetesOptionNames, parseKubernetesOptions } from "./kubernetes/options.js";
import { checkRemoteSettings, remoteOptionNames } from "./remote/options.js";

/** What a node is configured to be. */
export interface NodeSettings {
  /** As stored: a docker context, an engine's host, or a daemon's address, as the driver has it. */
  endpoint: string;
  driverOpts: Readonly<Record<string, string>>;
  /** Flags of buildkitd. */
  flags: readonly string[];
  /** Config files by path relative to `/etc/buildkit`. */
  files: ReadonlyMap<string, Uint8Array>;
}

/** What {@link DriverKind.open} needs to know of a node. */
export interface DriverSpec extends NodeSettings {
  /** Driver name as stored with the builder. */
  driver: string;
  nodeName: string;
  /** Platforms that the node is for. */
  platforms?: readonly string[] | undefined;
  /** Labels for what the driver makes on the engine, beyond its own. */
  labels?: Readonly<Record<string, string>> | undefined;
  env: Environment;
  /** Where contexts and credentials come from. */
  dockerConfig: DockerConfig;
  /** Default `auto`, or `SLIPWAY_CONNECT` of the environment. */
  connect?: ConnectMode | undefined;
  /** How long a started builder may take until it answers. Default 60,000 ms. */
  bootMilliseconds?: number | undefined;
  /** Whether the node still is in the store. Asked after it was booted, which takes a while (STO-8). Default: it is. */
  isWanted?: (() => Promise<boolean>) | undefined;
}

/** All that is known of a driver before one is opened. A new driver is a folder and a row here. */
export interface DriverKind {
  readonly name: string;
  /** Builders of it are made by `create`; otherwise they are there by themselves (buildx Factory.AllowsInstances). */
  readonly creatable: boolean;
  /** What a node's endpoint names. */
  readonly endpoint: "engine" | "daemon" | "cluster";
  /** The daemon is made by the driver, which starts, stops and removes it, and gives it its configuration. */
  readonly ownsDaemon: boolean;
  /** Names of its options, for completion; one that ends in a dot goes on with a name of the user's. */
  readonly optionNames: readonly string[];
  /** @throws DriverError `DRIVER_OPTION` that names what the driver cannot use. */
  check(settings: NodeSettings): void;
  /** Opens the driver of a node. Nothing is dialled yet. What it is made of is loaded by the first call. */
  open(spec: DriverSpec): Promise<Driver>;
}

const kinds: readonly DriverKind[] = [
  {
    name: "docker-container",
    creatable: true,
    endpoint: "engine",
    ownsDaemon: true,
    optionNames: containerOptionNames,
    check: ({ driverOpts }) => void parseDriverOptions(driverOpts),
    open: async (spec) => (await import("./docker-container/open.js")).openDockerContainer(spec),
  },
  {
    name: "docker",
    creatable: false,
    endpoint: "engine",
    ownsDaemon: false,
    optionNames: [],
    check: checkDockerSettings,
    open: async (spec) => (await import("./docker/docker-driver.js")).openDocker(spec),
  },
  {
    name: "remote",
    creatable: true,
    endpoint: "daemon",
    ownsDaemon: false,
    optionNames: remoteOptionNames,
    check: checkRemoteSettings,
    open: async (spec) => (await import("./remote/remote-driver.js")).openRemote(spec),
  },
  {
    name: "kubernetes",
    creatable: true,
    endpoint: "cluster",
    ownsDaemon: true,
    optionNames: kubernetesOptionNames,
    check: ({ driverOpts }) => void parseKubernetesOptions(driverOpts),
    open: async (spec) => (await import("./kubernetes/open.js")).openKubernetes(spec),
  },
];

/** The driver that `create` takes when none is named. */
export const defaultDriver = "docker-container";

/** Names of the drivers that builders can be created with. */
export const creatableDrivers: readonly string[] = kinds
  .filter(({ creatable }) => creatable)
  .map(({ name }) => name);

/** A driver by its name; undefined for one that slipway does not have. */
export function findDriverKind(name: string): DriverKind | undefined {
  return kinds.find((kind) => kind.name === name);
}

/**
 * A driver by its name.
 *
 * @throws DriverError `DRIVER_UNSUPPORTED` for one that slipway does not have.
 */
export function driverKind(name: string): DriverKind {
  const kind = findDriverKind(name);
  if (kind) return kind;
  throw new DriverError(
    "DRIVER_UNSUPPORTED",
    `slipway has no driver "${name}"; make a container builder with: slipway create --driver docker-container --use`,
  );
}
