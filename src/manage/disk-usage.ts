import { clipText, dateOf, readOptions, soundCount } from "../core/index.js";
import type { BuildkitClient, control } from "../buildkit/index.js";
import { builderDiskUsageKinds, diskUsageKinds } from "./option-kinds.js";
import { type RunningNodesOptions, isClient, runningNodes } from "./running-nodes.js";

/** Longest text of a record that is kept, in UTF-16 units: a step of a Dockerfile may be long. */
const longestText = 64 << 10;

/** One record of a builder's cache. */
export interface CacheRecord {
  id: string;
  /** Bytes. */
  size: number;
  mutable: boolean;
  inUse: boolean;
  shared: boolean;
  parents: string[];
  description: string;
  /** `internal`, `frontend`, `source.local`, `source.git.checkout`, `exec.cachemount` or `regular`. */
  type: string;
  usageCount: number;
  createdAt?: Date;
  lastUsedAt?: Date;
  /** Everything as BuildKit sent it, with times to the nanosecond. */
  wire: control.UsageRecord;
}

/** Options of {@link diskUsage} of a builder. */
export interface BuilderDiskUsageOptions extends DiskUsageOptions, RunningNodesOptions {}

/** Options of {@link diskUsage}. */
export interface DiskUsageOptions {
  /** In containerd's filter language; several are alternatives. */
  filter?: readonly string[];
  signal?: AbortSignal | undefined;
}

/**
 * The cache records of a builder, the smallest first (BK client/diskusage.go). Nodes that do not run are left out.
 *
 * @throws StoreError for a builder that is not there, DriverError `DRIVER_NOT_RUNNING` for one of which no node runs.
 */
export async function diskUsage(options?: BuilderDiskUsageOptions): Promise<CacheRecord[]>;
/** The cache records of a daemon that is connected to, the smallest first. */
export async function diskUsage(client: BuildkitClient, options?: DiskUsageOptions): Promise<CacheRecord[]>;
export async function diskUsage(
  of: BuildkitClient | BuilderDiskUsageOptions = {},
  options: DiskUsageOptions = {},
): Promise<CacheRecord[]> {
  if (isClient(of)) return recordsOf(of, readOptions("diskUsage()", options, diskUsageKinds));
  const given = readOptions("diskUsage()", of, builderDiskUsageKinds);
  const found: CacheRecord[] = [];
  for await (const client of runningNodes(given)) found.push(...(await recordsOf(client, given)));
  return found.sort(bySize);
}

async function recordsOf(
  client: BuildkitClient,
  { filter = [], signal }: DiskUsageOptions,
): Promise<CacheRecord[]> {
  const { record } = await client.control.diskUsage({ filter: [...filter] }, { ...(signal && { signal }) });
  return record.map(cacheRecord).sort(bySize);
}

function bySize(a: CacheRecord, b: CacheRecord): number {
  return a.size - b.size || (a.id < b.id ? -1 : 1);
}

/** A record of the wire as data. */
export function cacheRecord(record: control.UsageRecord): CacheRecord {
  // Daemons before 0.11 name one parent only.
  const parents = record.Parents.length > 0 || record.Parent === "" ? record.Parents : [record.Parent];
  return {
    id: clipText(record.ID, longestText),
    size: soundCount(record.Size),
    mutable: record.Mutable,
    inUse: record.InUse,
    shared: record.Shared,
    parents: parents.map((parent) => clipText(parent, longestText)),
    description: clipText(record.Description, longestText),
    type: clipText(record.RecordType, longestText),
    usageCount: soundCount(record.UsageCount),
    ...(record.CreatedAt && { createdAt: dateOf(record.CreatedAt) }),
    ...(record.LastUsedAt && { lastUsedAt: dateOf(record.LastUsedAt) }),
    wire: record,
  };
}
