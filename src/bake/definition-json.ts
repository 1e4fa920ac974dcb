import type { TypedEntry } from "./entries.js";
import type { Resolved } from "./resolve.js";
import type { TargetFields } from "./target.js";

/** A plan as `--print` shows it: a definition again, texts with `${` and `%{` escaped. */
export interface BakeJson {
  group?: Record<string, { description?: string; targets: string[] }>;
  target: Record<string, Record<string, unknown>>;
}

const order: (keyof TargetFields)[] = [
  "description", "inherits", "annotations", "attest", "context", "contexts", "dockerfile", "dockerfile-inline", "args",
  "labels", "tags", "cache-from", "cache-to", "target", "secret", "ssh", "platforms", "output", "pull", "no-cache", "network",
  "no-cache-filter", "shm-size", "ulimits", "resources", "call", "entitlements", "extra-hosts", "policy",
]; // prettier-ignore
const escaped = new Set(["annotations", "dockerfile-inline", "labels", "args", "extra-hosts"]);

/** What `--print` prints. buildx v0.38 bake/bake.go `Target.MarshalJSON`. */
export function definitionJson({ targets, groups }: Resolved): BakeJson {
  const target = sorted([...targets].map(([name, fields]) => [name, targetJson(fields)]));
  return groups.size === 0 ? { target } : { group: sorted(groups), target };
}

function targetJson(fields: TargetFields): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const name of order) {
    const value = fields[name];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    const shown = fieldJson(value, escaped.has(name) ? escapeTemplate : (text) => text);
    if (shown !== undefined) json[name] = shown;
  }
  return json;
}

function fieldJson(value: unknown, escape: (text: string) => string): unknown {
  if (typeof value === "string") return escape(value);
  if (value instanceof Map) {
    if (value.size === 0) return undefined;
    return sorted([...(value as Map<string, string | null>)].map(([name, text]) => [name, text === null ? null : escape(text)])); // prettier-ignore
  }
  if (!Array.isArray(value)) return value;
  return value.map((item: unknown) => {
    if (typeof item === "string") return escape(item);
    if (typeof item === "object" && item !== null && "attrs" in item) return entryJson(item as TypedEntry);
    return Object.fromEntries(
      Object.entries(item as object).filter(
        ([, field]) => field !== "" && !(Array.isArray(field) && field.length === 0),
      ),
    );
  });
}

function entryJson({ type, attrs, dest, disabled }: TypedEntry): unknown {
  const all = new Map<string, unknown>([...attrs, ["type", type]]);
  if (dest) all.set("dest", dest);
  if (disabled) all.set("disabled", true);
  return sorted(all);
}

function escapeTemplate(text: string): string {
  // By a function: `$$` in a text would stand for one of them.
  return text.replaceAll("${", () => "$${").replaceAll("%{", "%%{");
}

function sorted<Item>(entries: Iterable<readonly [string, Item]>): Record<string, Item> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}
