import { type BuildkitClient, compareVersions, parseVersion } from "../buildkit/index.js";
import { InvalidArgumentError, readOptions } from "../core/index.js";
import { type CacheRecord, cacheRecord } from "./disk-usage.js";
import { builderPruneKinds, pruneKinds } from "./option-kinds.js";
import { type RunningNodesOptions, isClient, runningNodes } from "./running-nodes.js";

/** Options of {@link prune}. */
export interface PruneOptions {
  /** Also internal and frontend records. */
  all?: boolean;
  /** In containerd's filter language; several are alternatives. */
  filter?: readonly string[];
  /** Keep what was used within this time, in ms. */
  keepDuration?: number;
  /** Bytes of cache that are always kept. */
  reservedSpace?: number;
  /** Most bytes of cache that stay. */
  maxUsedSpace?: number;
  /** Bytes of the disk that are to be free. */
  minFreeSpace?: number;
  signal?: AbortSignal | undefined;
}

/** Options of {@link prune} of a builder. */
export interface BuilderPruneOptions extends PruneOptions, RunningNodesOptions {}

/**
 * Removes cache of a builder, node by node, and yields each record as it goes. Ending the iteration early stops the pruning. Nodes
 * that do not run are left out.
 *
 * @throws StoreError for a builder that is not there, DriverError `DRIVER_NOT_RUNNING` for one of which no node runs.
 */
export function prune(options?: BuilderPruneOptions): AsyncGenerator<CacheRecord>;
/** Removes cache of a daemon that is connected to. */
export function prune(client: BuildkitClient, options?: PruneOptions): AsyncGenerator<CacheRecord>;
export async function* prune(
  of: BuildkitClient | BuilderPruneOptions = {},
  given: PruneOptions = {},
): AsyncGenerator<CacheRecord> {
  if (isClient(of)) {
    yield* pruneDaemon(of, readOptions("prune()", given, pruneKinds));
    return;
  }
  const options = readOptions("prune()", of, builderPruneKinds);
  for await (const client of runningNodes(options)) yield* pruneDaemon(client, options);
}

async function* pruneDaemon(client: BuildkitClient, options: PruneOptions): AsyncGenerator<CacheRecord> {
  const stop = new AbortController();
  const onAbort = () => stop.abort(options.signal?.reason);
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted) onAbort();
  try {
    if (options.maxUsedSpace || options.minFreeSpace)
      requireFreeSpaceFilters((await client.info({ signal: stop.signal })).version);
    const request = {
      filter: [...(options.filter ?? [])],
      all: options.all ?? false,
      keepDuration: BigInt(Math.round((options.keepDuration ?? 0) * 1e6)),
      reservedSpace: BigInt(options.reservedSpace ?? 0),
      maxUsedSpace: BigInt(options.maxUsedSpace ?? 0),
      minFreeSpace: BigInt(options.minFreeSpace ?? 0),
    };
    for await (const record of client.control.prune(request, { signal: stop.signal }))
      yield cacheRecord(record);
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    // A stream that is left early stays open until it is aborted (measured with connect-node 2.1).
    stop.abort("pruning has ended");
  }
}

/** Came with BuildKit 0.17 (cap gc.freespacefilter). */
function requireFreeSpaceFilters(version: string | undefined): void {
  const found = parseVersion(version ?? "");
  const needed = parseVersion("v0.17.0");
  if (found && needed && compareVersions(found, needed) < 0)
    throw new InvalidArgumentError(
      "buildkit v0.17.0+ is required for max-used-space and min-free-space filters",
    );
}
