import { type BuildkitClient, compareVersions, parseVersion } from "../buildkit/index.js";
import { parseGoDuration } from "../config/index.js";
import { InvalidArgumentError, messageOf, readOptions } from "../core/index.js";
import { type CacheRecord, cacheRecord } from "./disk-usage.js";
import { pruneKinds } from "./option-kinds.js";

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

/** Removes cache and yields each record as it goes. Ending the iteration early stops the pruning. */
export async function* prune(client: BuildkitClient, given: PruneOptions = {}): AsyncGenerator<CacheRecord> {
  const options = readOptions("prune()", given, pruneKinds);
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
    // A stream that is left early stays open until it is aborted (node-http2.md 1, trap 1).
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

/** Cache filters of the command line, as the daemon takes them. */
export interface CacheFilter {
  filter: string[];
  /** From `until` or `unused-for`, in ms. */
  keepDuration?: number;
}

/**
 * Translates filters `key=value`: all of them must hold, so they become one (buildx v0.36 commands/prune.go
 * toBuildkitPruneInfo). Keys are in lower case.
 *
 * @throws InvalidArgumentError for one that is none, a key with two values, or a duration that is none.
 */
export function parseCacheFilters(texts: readonly string[]): CacheFilter {
  const values = new Map<string, string>();
  for (const [key, value] of texts.map(parseCacheFilter)) {
    if (values.has(key) && values.get(key) !== value)
      throw new InvalidArgumentError(`${JSON.stringify(key)} filter expects only one value`);
    values.set(key, value);
  }
  if (values.has("until") && values.has("unused-for"))
    throw new InvalidArgumentError('conflicting filters "until" and "unused-for"');
  const keepKey = values.has("unused-for") ? "unused-for" : "until";
  const keep = values.get(keepKey);
  values.delete(keepKey);
  const parts = [...values].map(([key, value]) => {
    if (key === "id") return `id~=${value}`;
    return /[!~]$/.test(key) ? `${key}=${value}` : `${key}==${value}`;
  });
  return {
    filter: parts.length === 0 ? [] : [parts.join(",")],
    ...(keep !== undefined && { keepDuration: durationOf(keepKey, keep) }),
  };
}

/** A filter's key and value (docker/cli opts.FilterOpt). @throws InvalidArgumentError */
export function parseCacheFilter(text: string): [key: string, value: string] {
  const at = text.indexOf("=");
  if (at < 0) throw new InvalidArgumentError("bad format of filter (expected name=value)");
  return [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
}

/**
 * Adds what docker's `config.json` says under `pruneFilters`; a label that the command line speaks of otherwise is left out
 * (docker/cli command.PruneFilters).
 */
export function withConfiguredFilters(texts: readonly string[], configured: readonly string[]): string[] {
  const given = texts.map(parseCacheFilter);
  const opposite = (key: string) => (key === "label" ? "label!" : key === "label!" ? "label" : undefined);
  const added = configured.filter((text) => {
    if (!text.includes("=")) return false;
    const [key, value] = parseCacheFilter(text);
    return !given.some((one) => one[0] === opposite(key) && one[1] === value);
  });
  return [...texts, ...added];
}

function durationOf(key: string, text: string): number {
  try {
    return parseGoDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(
      `${JSON.stringify(key)} filter expects a duration (e.g., '24h'): ${messageOf(error)}`,
      { cause: error },
    );
  }
}
