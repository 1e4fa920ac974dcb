import { parseGoBool } from "../config/index.js";
import { BakeError } from "./bake-error.js";
import {
  type TypedEntry,
  parseAttest,
  parseCaches,
  parseOutput,
  parseSecret,
  parseSsh,
  withoutTwins,
} from "./entries.js";
import { pathMatch } from "./path-match.js";
import { type BakeResources, type TargetFields, byId, byType } from "./target.js";
import { CtyError } from "../hcl/index.js";

/** What one key of `--set` comes to for one target. */
interface Override {
  value: string;
  values: string[];
  append: boolean;
  clear: boolean;
}

/** Overrides by target, by key. */
export type Overrides = ReadonlyMap<string, ReadonlyMap<string, Override>>;

const singular: Record<string, string> = {
  annotations: "annotation", args: "arg", entitlements: "entitlement", "extra-hosts": "extra-host", labels: "label",
  platforms: "platform", resources: "resource", tags: "tag", ulimits: "ulimit",
}; // prettier-ignore
const lists = new Set(["output", "cache-to", "cache-from", "tag", "platform", "ssh", "attest", "entitlement", "annotation", "policy", "ulimit", "no-cache-filter"]); // prettier-ignore
const named = new Set(["arg", "contexts", "label", "extra-host", "resource"]);
const plain = new Set(["context", "dockerfile", "target", "call", "no-cache", "shm-size", "network", "pull", "push", "load"]); // prettier-ignore

/** Parses `PATTERN.KEY[.NAME][+]=VALUE`. buildx v0.38 bake/bake.go `newOverrides`. */
export function parseOverrides(
  given: readonly string[],
  targets: readonly TargetFields[],
  variable: (name: string) => string | undefined,
): Overrides {
  const overrides = new Map<string, Map<string, Override>>();
  for (const text of given) {
    const equals = text.indexOf("=");
    const left = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    const append = left.endsWith("+");
    const path = append ? left.slice(0, -1) : left;
    const [pattern = "", rawKey, ...rest] = path.split(".");
    if (rawKey === undefined) throw new BakeError(`invalid override key ${path}, expected target.name`);
    const sub = rest.length === 0 ? undefined : rest.join(".");
    if (rawKey === "secrets" && sub !== undefined)
      throw new BakeError(`invalid key ${left}, secret does not support subkeys`);
    const key =
      rawKey === "secrets"
        ? "secret"
        : Object.hasOwn(singular, rawKey)
          ? (singular[rawKey] as string)
          : rawKey;
    if (value === undefined && key !== "arg")
      throw new BakeError(`invalid override ${text}, expected target.name=value`);
    for (const name of matching(pattern, targets)) {
      const own = overrides.get(name) ?? new Map<string, Override>();
      overrides.set(name, own);
      const full = sub === undefined ? key : `${key}.${sub}`;
      const override = own.get(full) ?? { value: "", values: [], append: false, clear: false };
      if (applyValue(override, { key, sub, left, value, append }, variable)) own.set(full, override);
    }
  }
  return overrides;
}

function applyValue(
  override: Override,
  {
    key,
    sub,
    left,
    value,
    append,
  }: { key: string; sub: string | undefined; left: string; value: string | undefined; append: boolean },
  variable: (name: string) => string | undefined,
): boolean {
  if (lists.has(key) || (key === "secret" && sub === undefined)) {
    if (sub !== undefined) throw new BakeError(`invalid key ${left}, ${key} does not support subkeys`);
    if (!append && value === "") {
      override.clear = true;
      override.values = [];
    } else override.values.push(value ?? "");
    override.append = append && !override.clear;
    return true;
  }
  if (named.has(key)) {
    if (sub === undefined) throw new BakeError(`invalid key ${left}, ${key} requires name`);
    if (key === "resource" && append)
      throw new BakeError(`invalid key ${left}, ${key} does not support append`);
    const found = value ?? variable(sub);
    if (found === undefined) return false;
    override.value = found;
    return true;
  }
  if (key === "secret" && append) throw new BakeError(`invalid key ${left}, secret does not support append`);
  if (plain.has(key) && sub !== undefined)
    throw new BakeError(`invalid key ${left}, ${key} does not support subkeys`);
  override.value = value ?? "";
  return true;
}

function matching(pattern: string, targets: readonly TargetFields[]): string[] {
  if (targets.some(({ name }) => name === pattern)) return [pattern];
  const names = targets.map(({ name }) => name).filter((name) => {
    const matches = pathMatch(pattern, name);
    if (matches === undefined) throw new BakeError(`could not match targets with '${pattern}': syntax error in pattern`);
    return matches;
  }); // prettier-ignore
  if (names.length === 0) throw new BakeError(`could not find any target matching '${pattern}'`);
  return names;
}

/** Values first, then secrets by id, then push, then load, whatever their order. */
function rank(key: string): number {
  if (key === "load") return 3;
  if (key === "push") return 2;
  return key.startsWith("secret.") ? 1 : 0;
}

/** Changes a target as its overrides say. `Target.AddOverrides`. */
export function applyOverrides(
  target: TargetFields,
  overrides: ReadonlyMap<string, Override> | undefined,
): void {
  const sorted = [...(overrides ?? [])].sort(([a], [b]) => rank(a) - rank(b));
  for (const [full, override] of sorted) {
    try {
      applyOverride(target, full, override);
    } catch (error) {
      throw error instanceof CtyError ? new BakeError(error.message) : error;
    }
  }
}

function applyOverride(target: TargetFields, full: string, { value, values, append, clear }: Override): void {
  const dot = full.indexOf(".");
  const key = dot < 0 ? full : full.slice(0, dot);
  const name = dot < 0 ? "" : full.slice(dot + 1);
  const given = values.filter((text) => text !== "");
  const bool = () => {
    const parsed = parseGoBool(value);
    if (parsed === undefined) throw new BakeError(`invalid value ${value} for boolean key ${key}`);
    return parsed;
  };
  const texts = (own: string[] | undefined) => (append ? [...(own ?? []), ...values] : [...values]);
  const entries = (own: TypedEntry[] | undefined, parsed: TypedEntry[]) =>
    append ? withoutTwins([...(own ?? []), ...parsed]) : parsed;
  switch (key) {
    case "context": case "dockerfile": case "target": case "call": case "network": case "shm-size":
      target[key] = value;
      return;
    case "arg": target.args = new Map([...(target.args ?? []), [name, value]]); return;
    case "label": target.labels = new Map([...(target.labels ?? []), [name, value]]); return;
    case "extra-host": target["extra-hosts"] = new Map([...(target["extra-hosts"] ?? []), [name, value]]); return;
    case "contexts": target.contexts = new Map([...(target.contexts ?? []), [name, value]]); return;
    case "tag": target.tags = texts(target.tags); return;
    case "platform": target.platforms = texts(target.platforms); return;
    case "ulimit": target.ulimits = texts(target.ulimits); return;
    case "no-cache-filter": target[key] = texts(target[key]); return;
    case "entitlement": target.entitlements = [...(clear ? [] : (target.entitlements ?? [])), ...values]; return;
    case "annotation": target.annotations = [...(clear ? [] : (target.annotations ?? [])), ...values]; return;
    case "attest": target.attest = byType([...(clear ? [] : (target.attest ?? [])), ...given.map(parseAttest)]); return;
    case "cache-from": case "cache-to": target[key] = entries(target[key], given.flatMap(parseCaches)); return;
    case "output": target.output = entries(target.output, given.map(parseOutput)); return;
    case "ssh": target.ssh = append ? byId([...(target.ssh ?? []), ...given.map(parseSsh)]) : given.map(parseSsh); return;
    case "policy": if (values.some((text) => text !== "disabled=true")) throw new BakeError("slipway has no policies: only disabled=true is understood");
      target.policy = values.map(() => ({ Files: null, Reset: false, Disabled: true, Strict: null, LogLevel: null })); return;
    case "pull": target.pull = bool(); return;
    case "no-cache": target["no-cache"] = bool(); return;
    case "push": target.output = pushed(target.output ?? [], bool()); return;
    case "load": if (bool()) target.output = loaded(target.output ?? []); return;
    case "resource": setResource(target, name, value); return;
    case "secret":
      if (name === "") target.secret = append ? byId([...(target.secret ?? []), ...given.map(parseSecret)]) : given.map(parseSecret);
      else setSecret(target, name, value);
      return;
    default: throw new BakeError(`unknown key: ${key}`);
  }
} // prettier-ignore

function setResource(target: TargetFields, name: string, value: string): void {
  const resources: BakeResources = { ...target.resources };
  switch (name) {
    case "memory":
    case "memory-swap":
    case "cpuset-cpus":
    case "cpuset-mems":
      resources[name] = value;
      break;
    case "cpu-shares":
    case "cpu-period":
    case "cpu-quota":
      if (!/^[+-]?[0-9]+$/.test(value))
        throw new BakeError(`invalid value ${value} for int64 key resources.${name}`);
      resources[name] = Number(value);
      break;
    default:
      throw new BakeError(`unknown resources key ${name}`);
  }
  target.resources = resources;
}

function setSecret(target: TargetFields, id: string, value: string): void {
  const declared = target.secret?.findIndex((secret) => secret.id === id) ?? -1;
  if (declared < 0) throw new BakeError(`secret "${id}" must be declared before it can be overridden`);
  const next = parseSecret(value);
  if (next.id !== "" && next.id !== id) {
    throw new BakeError(`secret override id "${next.id}" does not match declared secret "${id}"`);
  }
  target.secret = (target.secret ?? []).map((secret, at) => (at === declared ? { ...next, id } : secret));
}

function pushed(outputs: readonly TypedEntry[], push: boolean): TypedEntry[] {
  const withPush = (entry: TypedEntry): TypedEntry =>
    entry.type === "image" ? { ...entry, attrs: new Map([...entry.attrs, ["push", String(push)]]) } : entry;
  if (!push) {
    const kept = [...outputs];
    for (let at = 0; at < kept.length;) {
      if (kept[at]?.type !== "registry") at++;
      else {
        kept[at] = kept.at(-1) as TypedEntry;
        kept.pop();
      }
    }
    return kept.map(withPush);
  }
  const all = outputs.map(withPush);
  if (outputs.every(({ type }) => type === "docker"))
    all.push({ type: "image", attrs: new Map([["push", "true"]]) });
  return all;
}

function loaded(outputs: readonly TypedEntry[]): TypedEntry[] {
  for (const { type, dest } of outputs) {
    if (type === "docker" ? !dest : !["image", "registry", "oci"].includes(type)) return [...outputs];
  }
  return [...outputs, { type: "docker", attrs: new Map() }];
}
