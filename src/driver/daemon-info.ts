import type { BuildkitClient, worker } from "../buildkit/index.js";
import type { Driver } from "./driver.js";

/** A connection to a node's daemon. */
export type DaemonClient = BuildkitClient;

/** One rule of a daemon's garbage collection. */
export interface GcRule {
  all: boolean;
  filters: string[];
  /** ms. */
  keepDuration: number;
  /** Bytes. */
  reservedSpace: number;
  /** Bytes. */
  maxUsedSpace: number;
  /** Bytes. */
  minFreeSpace: number;
}

/** A device that build steps may be given (CDI). */
export interface Device {
  name: string;
  autoAllow: boolean;
  onDemand: boolean;
  annotations: Record<string, string>;
}

/** What a daemon says about itself. */
export interface DaemonDescription {
  version: string;
  /** As the workers name them; not normalised, with repetitions. */
  platforms: { os: string; architecture: string; variant: string }[];
  workerIds: string[];
  /** Of the first worker, as all that follows. */
  labels: Record<string, string>;
  gcPolicy: GcRule[];
  devices: Device[];
}

/** Asks a daemon for its version and its workers. */
export async function describeDaemon(
  driver: Driver,
  client: DaemonClient,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<DaemonDescription> {
  const [info, workers] = await Promise.all([client.info({ signal }), client.workers({ signal })]);
  const [first] = workers;
  return {
    version: info.version ?? (await driver.version({ signal })),
    platforms: workers.flatMap(({ platforms }) =>
      platforms.map(({ OS, Architecture, Variant }) => ({
        os: OS,
        architecture: Architecture,
        variant: Variant,
      })),
    ),
    workerIds: workers.map(({ ID }) => ID),
    labels: { ...first?.Labels },
    gcPolicy: first?.GCPolicy.map(gcRule) ?? [],
    devices: first?.CDIDevices.map(device) ?? [],
  };
}

function gcRule(rule: worker.GCPolicy): GcRule {
  return {
    all: rule.all,
    filters: [...rule.filters],
    keepDuration: Number(rule.keepDuration) / 1e6,
    reservedSpace: Number(rule.reservedSpace),
    maxUsedSpace: Number(rule.maxUsedSpace),
    minFreeSpace: Number(rule.minFreeSpace),
  };
}

function device(found: worker.CDIDevice): Device {
  return {
    name: found.Name,
    autoAllow: found.AutoAllow,
    onDemand: found.OnDemand,
    annotations: { ...found.Annotations },
  };
}
