import { type pb, type worker } from "../buildkit/index.js";
import { isSlipwayError, messageOf, withDeadline } from "../core/index.js";
import type { NodeStatus } from "../driver/index.js";
import type { BuilderNode } from "./builder.js";
import { type Platform, dedupePlatforms, normalizePlatform } from "./platform.js";

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

/** What is known of a node at the moment. `error` stands for all that could not be asked. */
export interface NodeInfo {
  status?: NodeStatus;
  error?: string;
  /** BuildKit's version, of a running node. */
  version?: string;
  /** What the daemon builds for; of a running node. */
  platforms: Platform[];
  workerIds: string[];
  labels: Record<string, string>;
  gcPolicy: GcRule[];
  devices: Device[];
}

/** Asks a node for its state, without booting it. Errors become part of the answer, but for the caller's own abort. */
export async function loadNodeInfo(
  node: BuilderNode,
  { milliseconds, signal }: { milliseconds: number; signal?: AbortSignal | undefined },
): Promise<NodeInfo> {
  const info: NodeInfo = { platforms: [], workerIds: [], labels: {}, gcPolicy: [], devices: [] };
  try {
    await withDeadline(signal, milliseconds, `asking node ${node.name}`, async (within) => {
      const driver = await node.openDriver();
      try {
        info.status = await driver.status({ signal: within });
        if (info.status !== "running") return;
        const client = await driver.connect({ boot: false, signal: within });
        try {
          const [daemon, workers] = await Promise.all([
            client.info({ signal: within }),
            client.workers({ signal: within }),
          ]);
          info.version = daemon.version ?? (await driver.version({ signal: within }));
          addWorkers(info, workers);
        } finally {
          await client.close();
        }
      } finally {
        await driver.close();
      }
    });
  } catch (error) {
    if (signal?.aborted && !isSlipwayError(error, "DEADLINE")) throw error;
    // A driver that slipway does not have is listed, and refused only when it is to be used.
    if (!isSlipwayError(error, "DRIVER_UNSUPPORTED")) info.error = messageOf(error);
  }
  return info;
}

function addWorkers(info: NodeInfo, workers: readonly worker.WorkerRecord[]): void {
  info.platforms = dedupePlatforms(workers.flatMap(({ platforms }) => platforms.map(platformOf)));
  info.workerIds = workers.map(({ ID }) => ID);
  const [first] = workers;
  if (!first) return;
  info.labels = { ...first.Labels };
  info.gcPolicy = first.GCPolicy.map((rule) => ({
    all: rule.all,
    filters: [...rule.filters],
    keepDuration: Number(rule.keepDuration) / 1e6,
    reservedSpace: Number(rule.reservedSpace),
    maxUsedSpace: Number(rule.maxUsedSpace),
    minFreeSpace: Number(rule.minFreeSpace),
  }));
  info.devices = first.CDIDevices.map((device) => ({
    name: device.Name,
    autoAllow: device.AutoAllow,
    onDemand: device.OnDemand,
    annotations: { ...device.Annotations },
  }));
}

function platformOf({ OS, Architecture, Variant }: pb.Platform): Platform {
  return normalizePlatform({ os: OS, architecture: Architecture, ...(Variant && { variant: Variant }) });
}
