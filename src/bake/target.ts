import type { FetchedSource } from "../build/index.js";
import { type SecretEntry, type SshEntry, type TypedEntry, lastByKey, withoutTwins } from "./entries.js";
import type { PolicyEntry } from "./policy-entry.js";

/** Limits of build containers; numbers are those of cgroups. */
export interface BakeResources {
  memory?: string;
  "memory-swap"?: string;
  "cpu-shares"?: number;
  "cpu-period"?: number;
  "cpu-quota"?: number;
  "cpuset-cpus"?: string;
  "cpuset-mems"?: string;
}

/** A target's fields as definitions name them. What is not set is left out; an empty list is one that was set. */
export interface TargetFields {
  name: string;
  description?: string;
  inherits?: string[];
  annotations?: string[];
  attest?: TypedEntry[];
  context?: string;
  contexts?: Map<string, string>;
  dockerfile?: string;
  "dockerfile-inline"?: string;
  args?: Map<string, string | null>;
  labels?: Map<string, string | null>;
  tags?: string[];
  "cache-from"?: TypedEntry[];
  "cache-to"?: TypedEntry[];
  target?: string;
  secret?: SecretEntry[];
  ssh?: SshEntry[];
  platforms?: string[];
  output?: TypedEntry[];
  pull?: boolean;
  "no-cache"?: boolean;
  network?: string;
  "no-cache-filter"?: string[];
  "shm-size"?: string;
  ulimits?: string[];
  resources?: BakeResources;
  call?: string;
  entitlements?: string[];
  "extra-hosts"?: Map<string, string | null>;
  policy?: PolicyEntry[];
  /** The context where none is set; not a field of definitions. Default `.`. */
  defaultContext?: string;
  /** Contexts that are directories of what the definition was fetched from; not a field of definitions. */
  remote?: RemoteContexts;
}

/** Directories of what a definition was fetched from, as contexts. */
export interface RemoteContexts {
  readonly source: FetchedSource;
  /** The directory that is the main context, if that is one. */
  readonly context?: string;
  /** Directories by names of contexts. */
  readonly contexts: ReadonlyMap<string, string>;
}

type FieldName = keyof TargetFields;

const replaced: FieldName[] = [
  "context", "dockerfile", "dockerfile-inline", "tags", "target", "call", "platforms", "cache-to", "output", "pull",
  "no-cache", "network", "shm-size", "defaultContext",
]; // prettier-ignore
const appended = ["annotations", "policy", "no-cache-filter", "ulimits", "entitlements", "inherits"] as const;
const mapped = ["args", "labels", "extra-hosts"] as const;
/** Appended too, but a later entry replaces an earlier one of the same key. */
const keyed: ["attest" | "cache-from" | "secret" | "ssh", (entries: readonly never[]) => unknown[]][] = [
  ["attest", byType],
  ["cache-from", withoutTwins],
  ["secret", byId],
  ["ssh", byId],
];

/** Puts a target's fields over another's. buildx v0.38 bake/bake.go `Target.Merge`. */
export function mergeTarget(into: TargetFields, from: TargetFields): void {
  const target = into as unknown as Record<string, unknown>;
  for (const name of replaced) if (from[name] !== undefined) target[name] = from[name];
  if (from.description) into.description = from.description;
  for (const name of appended) {
    if (from[name]) target[name] = [...(into[name] ?? []), ...from[name]];
  }
  for (const name of mapped) {
    const values = [...(from[name] ?? [])].filter(([, value]) => value !== null);
    if (values.length > 0) into[name] = new Map([...(into[name] ?? []), ...values]);
  }
  if (from.contexts) into.contexts = new Map([...(into.contexts ?? []), ...from.contexts]);
  for (const [name, withoutReplaced] of keyed) {
    if (from[name]) target[name] = withoutReplaced([...(into[name] ?? []), ...from[name]] as never[]);
  }
  if (from.resources) into.resources = { ...into.resources, ...from.resources };
}

export function byType(entries: readonly TypedEntry[]): TypedEntry[] {
  return lastByKey(entries, ({ type }) => type);
}

export function byId<Entry extends { id: string }>(entries: readonly Entry[]): Entry[] {
  return lastByKey(entries, ({ id }) => id);
}

/** Removes what is there twice or empty, and adds what follows from other fields. `Target.normalize`. */
export function normalizeTarget(target: TargetFields): void {
  for (const name of ["annotations", "tags", "platforms", "no-cache-filter", "ulimits"] as const) {
    if (target[name]) target[name] = once(target[name]);
  }
  if (target.attest) target.attest = byType(target.attest);
  if (target.secret) target.secret = byId(target.secret);
  if (target.ssh) target.ssh = byId(target.ssh);
  for (const name of ["cache-from", "cache-to", "output"] as const) {
    if (!target[name]) continue;
    target[name] = withoutTwins(target[name]);
    // Of these an empty list is none to those who inherit it; of tags and platforms it is an empty list.
    if (target[name].length === 0) delete target[name];
  }
  if (target.network === "host") target.entitlements = [...(target.entitlements ?? []), "network.host"];
  if (target.entitlements) target.entitlements = once(target.entitlements);
  const contexts = [...(target.contexts ?? [])].filter(([, value]) => value !== "");
  if (contexts.length > 0) target.contexts = new Map(contexts);
  else delete target.contexts;
}

/** Each text once, none empty. */
export function once(texts: readonly string[]): string[] {
  return [...new Set(texts)].filter((text) => text !== "");
}
