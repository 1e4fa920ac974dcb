import { parseGoBool, parseGoDuration } from "../config/index.js";
import { InvalidArgumentError, messageOf, nearestHint } from "../core/index.js";

/** Cache filters of the command line, as the daemon takes them. */
export interface CacheFilter {
  filter: string[];
  /** From `until` or `unused-for`, in ms. */
  keepDuration?: number;
}

/**
 * Translates filters `key=value`: all of them must hold, so they become one (buildx v0.36 commands/prune.go
 * toBuildkitPruneInfo). Keys are in lower case. What a record is or is not, such as `shared=true`, is asked for by its
 * presence: buildx compares with a value, which no record has, and so finds nothing.
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
    const field = key.replace(/[!~]$/, "");
    if (field === "inuse" || opposites.has(field)) return presence(key, field, value);
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

/**
 * Refuses a filter of something that no record has: the daemon takes any name, and finds nothing by it.
 *
 * @throws InvalidArgumentError
 */
export function checkCacheFilter(text: string): void {
  const [key] = parseCacheFilter(text);
  const name = key.replace(/[!~]$/, "");
  if (cacheFilterNames.includes(name)) return;
  throw new InvalidArgumentError(
    `unknown filter ${JSON.stringify(name)}${nearestHint(name, cacheFilterNames)}; filters are ${cacheFilterNames.join(", ")}`,
  );
}

/** What cache can be filtered by: the daemon's fields (BK cache/manager.go adaptUsageInfo), and two of the time of last use. */
export const cacheFilterNames: readonly string[] = [
  "description",
  "id",
  "immutable",
  "inuse",
  "mutable",
  "parent",
  "parents",
  "private",
  "shared",
  "type",
  "until",
  "unused-for",
];

/** Fields that a record has or has not, by the one that has what this has not. */
const opposites: ReadonlyMap<string, string> = new Map([
  ["immutable", "mutable"],
  ["mutable", "immutable"],
  ["private", "shared"],
  ["shared", "private"],
]);

function presence(key: string, field: string, value: string): string {
  const given = value === "" ? true : parseGoBool(value);
  const wanted = key.endsWith("!") ? given === false : given;
  const opposite = opposites.get(field);
  if (given !== undefined && !key.endsWith("~")) {
    if (wanted) return field;
    if (opposite !== undefined) return opposite;
  }
  // The daemon has no word for what is not in use.
  const expected = opposite === undefined ? "true" : "true or false";
  throw new InvalidArgumentError(
    `invalid filter ${JSON.stringify(`${key}=${value}`)}, expecting ${field}=${expected}`,
  );
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
