import { BakeError } from "./bake-error.js";
import type { GroupFields } from "./group.js";
import { type Overrides, applyOverrides } from "./overrides.js";
import { pathMatch } from "./path-match.js";
import { type TargetFields, mergeTarget, normalizeTarget, once } from "./target.js";

/** All that definitions hold, before it is asked for. */
export interface Definition {
  readonly targets: readonly TargetFields[];
  readonly groups: readonly GroupFields[];
}

/** What was asked for: every target with all of its fields, and the groups that name them. */
export interface Resolved {
  readonly targets: Map<string, TargetFields>;
  readonly groups: Map<string, { description?: string; targets: string[] }>;
}

/** Blocks of a name as one target, in the order of the first. */
export function mergedTargets(targets: readonly TargetFields[]): TargetFields[] {
  const merged = new Map<string, TargetFields>();
  for (const target of targets) {
    const own = merged.get(target.name) ?? { name: target.name };
    mergeTarget(own, target);
    merged.set(target.name, own);
  }
  return [...merged.values()];
}

/** buildx v0.38 bake/bake.go `ReadTargets`. */
export function resolve(definition: Definition, asked: readonly string[], overrides: Overrides): Resolved {
  const names = once(
    asked.map((name) => name.replaceAll(".", "_")).flatMap((name) => matching(name, definition)),
  );
  const targets = new Map<string, TargetFields>();
  const groups: Resolved["groups"] = new Map();
  const resolver = new Resolver(definition, overrides);
  for (const name of names) {
    const expanded = expand(name, definition, new Map());
    for (const target of once(expanded.targets)) targets.set(target, resolver.whole(target));
    for (const group of expanded.groups) {
      const found = definition.groups.find((other) => other.name === group);
      if (found) groups.set(group, groupOf(found));
    }
  }
  const asDefault = groups.get("default") ?? { targets: [] };
  const added = groups.has("default") ? names.filter((name) => name !== "default") : names;
  asDefault.targets = [...new Set([...asDefault.targets, ...added])].sort();
  groups.set("default", asDefault);
  for (const name of [...targets.keys()].sort()) link(name, targets, resolver, []);
  return { targets, groups };
}

function groupOf({ description, targets = [] }: GroupFields) {
  const list = [...new Set(targets)];
  return description ? { description, targets: list } : { targets: list };
}

function matching(pattern: string, { groups, targets }: Definition): string[] {
  if (!/[*?[\]]/.test(pattern)) return [pattern];
  const names = [...groups, ...targets].map(({ name }) => name).filter((name) => pathMatch(pattern, name));
  if (names.length === 0) throw new BakeError(`could not find any target matching "${pattern}"`);
  return names;
}

interface Expanded {
  targets: string[];
  groups: string[];
}

function expand(name: string, definition: Definition, visited: Map<string, Expanded>): Expanded {
  const known = visited.get(name);
  if (known) return known;
  const group = definition.groups.find((other) => other.name === name);
  if (!group) return { targets: [name], groups: [] };
  const expanded: Expanded = { targets: [], groups: [name] };
  visited.set(name, { targets: [], groups: [] });
  for (const member of new Set(group.targets)) {
    const inner = expand(member, definition, visited);
    expanded.targets.push(...(inner.targets.length > 0 ? inner.targets : [member]));
    expanded.groups.push(...inner.groups);
  }
  visited.set(name, expanded);
  return expanded;
}

class Resolver {
  readonly #byName: ReadonlyMap<string, TargetFields>;
  readonly #overrides: Overrides;

  constructor({ targets }: Definition, overrides: Overrides) {
    this.#byName = new Map(targets.map((target) => [target.name, target]));
    this.#overrides = overrides;
  }

  whole(name: string): TargetFields {
    const target = this.#target(name, new Map()) as TargetFields;
    const { inherits: _, defaultContext = ".", ...fields } = target;
    return {
      ...fields,
      context: fields.context ?? defaultContext,
      dockerfile: fields.dockerfile || "Dockerfile",
    };
  }

  /** A target with what it inherits; a circle adds nothing. */
  #target(name: string, visited: Map<string, TargetFields | undefined>): TargetFields | undefined {
    if (visited.has(name)) return visited.get(name);
    visited.set(name, undefined);
    const own = this.#byName.get(name);
    if (!own) throw new BakeError(`failed to find target ${name}`);
    const result: TargetFields = { name };
    for (const parent of own.inherits ?? []) {
      const inherited = this.#target(parent, visited);
      if (inherited) mergeTarget(result, inherited);
    }
    mergeTarget(result, own);
    applyOverrides(result, this.#overrides.get(name));
    normalizeTarget(result);
    visited.set(name, result);
    return result;
  }
}

/** Takes in the targets that a target's contexts are. */
function link(
  name: string,
  targets: Map<string, TargetFields>,
  resolver: Resolver,
  before: readonly string[],
): void {
  const target = targets.get(name) as TargetFields;
  const visited = [...before, name];
  for (const [, value] of byName(target.contexts ?? new Map<string, string>())) {
    if (!value.startsWith("target:")) continue;
    const other = value.slice("target:".length);
    if (other === name) throw new BakeError(`target ${other} cannot link to itself`);
    if (visited.includes(other)) throw new BakeError(`infinite loop from ${name} to ${other}`);
    if (!targets.has(other))
      targets.set(other, { ...resolver.whole(other), output: [{ type: "cacheonly", attrs: new Map() }] });
    link(other, targets, resolver, visited);
    const linked = targets.get(other) as TargetFields;
    if (linked.entitlements)
      target.entitlements = [...new Set([...(target.entitlements ?? []), ...linked.entitlements])];
    const [own = [], theirs = []] = [target.platforms, linked.platforms];
    if (own.length > 1 && theirs.length > 1 && !own.every((platform) => theirs.includes(platform))) {
      throw new BakeError(
        `target ${other} can't be used by ${name} because its platforms [${own.join(" ")}] are not a subset of [${theirs.join(" ")}]`,
      );
    }
  }
}

function byName(contexts: ReadonlyMap<string, string>): [string, string][] {
  return [...contexts].sort(([a], [b]) => (a < b ? -1 : 1));
}
