import { parseGoBool } from "../config/index.js";
import { CtyError } from "../hcl/index.js";
import { BakeError } from "./bake-error.js";
import {
  parseAttest,
  parseCaches,
  parseOutput,
  parseSecret,
  parseSsh,
  type TypedEntry,
  withoutTwins,
} from "./entries.js";
import { parsePolicy } from "./policy-entry.js";
import { loaded, pushed } from "./push-and-load.js";
import { type BakeResources, type TargetFields, byId, byType } from "./target.js";

/** What one key of `--set` (with its name, if it has one) changes of one target. */
export interface Change {
  name: string;
  /** The last value. */
  value: string;
  /** All of a list. */
  values: readonly string[];
  /** Remove the values that the target has. */
  isClear: boolean;
  /** Add to the values that the target has. */
  isAdded: boolean;
}

/** A key of `--set`. */
export interface OverrideKey {
  /** Whether it takes a name behind a dot. */
  name: "never" | "always" | "maybe";
  /** `+=` has no effect on it. */
  isAddable?: false;
  apply(target: TargetFields, change: Change): void;
}

type TextKey = "context" | "dockerfile" | "target" | "call" | "network" | "shm-size";
type MapKey = "args" | "labels" | "extra-hosts" | "contexts";
type ListKey = "tags" | "platforms" | "ulimits" | "no-cache-filter";
type AddedKey = "annotations" | "entitlements";
type BoolKey = "pull" | "no-cache";

const text = (field: TextKey): OverrideKey => ({
  name: "never",
  apply: (target, { value }) => void (target[field] = value),
});

const bool = (field: BoolKey): OverrideKey => ({
  name: "never",
  apply: (target, { value }) => void (target[field] = boolOf(field, value)),
});

/** One entry of a mapping. */
const entry = (field: MapKey): OverrideKey => ({
  name: "always",
  apply(target, { name, value }) {
    const changed = new Map<string, string | null>(target[field]).set(name, value);
    Object.assign(target, { [field]: changed });
  },
});

/** A list that is replaced unless it is added to. */
const list = (field: ListKey): OverrideKey => ({
  name: "never",
  apply: (target, { values, isAdded }) => {
    if (isAdded || values.length > 0) target[field] = [...(isAdded ? (target[field] ?? []) : []), ...values];
    // To those who inherit it, it is as if it had never been there.
    else delete target[field];
  },
});

/** A list that is always added to, unless it is cleared. */
const growing = (field: AddedKey): OverrideKey => ({
  name: "never",
  apply: (target, { values, isClear }) =>
    void (target[field] = [...(isClear ? [] : (target[field] ?? [])), ...values]),
});

/** Caches and outputs. */
const entries = (
  field: "cache-from" | "cache-to" | "output",
  parse: (value: string) => TypedEntry[],
): OverrideKey => ({
  name: "never",
  apply(target, change) {
    const own = filled(change).flatMap(parse);
    target[field] = change.isAdded ? withoutTwins([...(target[field] ?? []), ...own]) : own;
  },
});

const keys = new Map<string, OverrideKey>([
  ["context", text("context")],
  ["dockerfile", text("dockerfile")],
  ["target", text("target")],
  ["call", text("call")],
  ["network", text("network")],
  ["shm-size", text("shm-size")],
  ["pull", bool("pull")],
  ["no-cache", bool("no-cache")],
  ["arg", entry("args")],
  ["label", entry("labels")],
  ["extra-host", entry("extra-hosts")],
  ["contexts", entry("contexts")],
  ["tag", list("tags")],
  ["platform", list("platforms")],
  ["ulimit", list("ulimits")],
  ["no-cache-filter", list("no-cache-filter")],
  ["annotation", growing("annotations")],
  ["entitlement", growing("entitlements")],
  ["cache-from", entries("cache-from", parseCaches)],
  ["cache-to", entries("cache-to", parseCaches)],
  ["output", entries("output", (value) => [told("outputs", parseOutput)(value)])],
  ["attest", { name: "never", apply: addAttestations }],
  ["ssh", { name: "never", apply: setAgents }],
  ["policy", { name: "never", apply: setPolicies }],
  ["secret", { name: "maybe", apply: setSecrets }],
  ["resource", { name: "always", isAddable: false, apply: setResource }],
  [
    "push",
    {
      name: "never",
      apply: (target, { value }) => void (target.output = pushed(target.output ?? [], boolOf("push", value))),
    },
  ],
  [
    "load",
    {
      name: "never",
      apply(target, { value }) {
        if (boolOf("load", value)) target.output = loaded(target.output ?? []);
      },
    },
  ],
]);

/** A key by its singular name. */
export function findOverrideKey(word: string): OverrideKey | undefined {
  return keys.get(word);
}

/** Says of which values something is wrong, in buildx's words: it takes secrets for outputs. */
function told<T>(field: "attest" | "outputs", parse: (value: string) => T): (value: string) => T {
  return (value) => {
    try {
      return parse(value);
    } catch (error) {
      throw error instanceof CtyError ? new CtyError(`invalid value for ${field}: ${error.message}`) : error;
    }
  };
}

function filled({ values }: Change): string[] {
  return values.filter((value) => value !== "");
}

function boolOf(key: string, value: string): boolean {
  const parsed = parseGoBool(value);
  if (parsed === undefined) throw new BakeError(`invalid value ${value} for boolean key ${key}`);
  return parsed;
}

function addAttestations(target: TargetFields, change: Change): void {
  const before = change.isClear ? [] : (target.attest ?? []);
  target.attest = byType([...before, ...filled(change).map(told("attest", parseAttest))]);
}

function setAgents(target: TargetFields, change: Change): void {
  const own = filled(change).map(parseSsh);
  target.ssh = change.isAdded ? byId([...(target.ssh ?? []), ...own]) : own;
}

function setPolicies(target: TargetFields, change: Change): void {
  const own = change.values.map(parsePolicy);
  target.policy = change.isAdded ? [...(target.policy ?? []), ...own] : own;
}

/** All secrets, or one that the target has. */
function setSecrets(target: TargetFields, change: Change): void {
  const { name, value, isAdded } = change;
  const before = target.secret ?? [];
  if (name === "") {
    const own = filled(change).map(told("outputs", parseSecret));
    target.secret = isAdded ? byId([...before, ...own]) : own;
    return;
  }
  if (!before.some(({ id }) => id === name))
    throw new BakeError(`secret "${name}" must be declared before it can be overridden`);
  const next = parseSecret(value);
  if (next.id !== "" && next.id !== name)
    throw new BakeError(`secret override id "${next.id}" does not match declared secret "${name}"`);
  target.secret = before.map((secret) => (secret.id === name ? { ...next, id: name } : secret));
}

const numbers: ReadonlySet<string> = new Set(["cpu-shares", "cpu-period", "cpu-quota"]);
const texts: ReadonlySet<string> = new Set(["memory", "memory-swap", "cpuset-cpus", "cpuset-mems"]);

function setResource(target: TargetFields, { name, value }: Change): void {
  if (numbers.has(name)) {
    if (!/^[+-]?[0-9]+$/.test(value))
      throw new BakeError(`invalid value ${value} for int64 key resources.${name}`);
  } else if (!texts.has(name)) throw new BakeError(`unknown resources key ${name}`);
  const changed: BakeResources = { ...target.resources };
  target.resources = Object.assign(changed, { [name]: numbers.has(name) ? Number(value) : value });
}
