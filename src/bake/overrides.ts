import { CtyError } from "../hcl/index.js";
import { BakeError } from "./bake-error.js";
import { type Change, findOverrideKey } from "./override-keys.js";
import { pathMatch } from "./path-match.js";
import type { TargetFields } from "./target.js";

/** Changes by target, each under its key and name. */
export type Overrides = ReadonlyMap<string, ReadonlyMap<string, Change>>;

/** One `PATTERN.KEY[.NAME][+]=VALUE`, taken apart. */
interface Given {
  pattern: string;
  /** In its singular form. */
  key: string;
  name: string | undefined;
  isAdded: boolean;
  value: string | undefined;
  /** All before the `=`. */
  left: string;
}

/**
 * Reads changes to targets as `--set` takes them. Several of one key and name add up to one change.
 *
 * @param variable values of arguments that are named alone
 * @throws BakeError in buildx's words
 */
export function parseOverrides(
  given: readonly string[],
  targets: readonly TargetFields[],
  variable: (name: string) => string | undefined,
): Overrides {
  const all = new Map<string, Map<string, Change>>();
  for (const text of given) {
    const one = takenApart(text);
    const refuse = (problem: string) => new BakeError(`invalid key ${one.left}, ${one.key} ${problem}`);
    const key = findOverrideKey(one.key);
    if (one.name !== undefined && key?.name === "never") throw refuse("does not support subkeys");
    for (const target of targetsOf(one.pattern, targets)) {
      if (one.name === undefined && key?.name === "always") throw refuse("requires name");
      if (one.isAdded && key?.isAddable === false) throw refuse("does not support append");
      if (one.key === "secret" && one.name !== undefined && one.isAdded)
        throw refuse("does not support append");
      const value = one.value ?? variable(one.name ?? "");
      // An argument that the environment does not have either.
      if (value === undefined) continue;
      const own = all.get(target) ?? new Map<string, Change>();
      all.set(target, own);
      const id = one.name === undefined ? one.key : `${one.key}.${one.name}`;
      own.set(id, added(own.get(id), one, value));
    }
  }
  return all;
}

function takenApart(text: string): Given {
  const equals = text.indexOf("=");
  const [left, value] = equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
  const isAdded = left.endsWith("+");
  const path = isAdded ? left.slice(0, -1) : left;
  const [pattern = "", word, ...rest] = path.split(".");
  if (word === undefined) throw new BakeError(`invalid override key ${path}, expected target.name`);
  const name = rest.length === 0 ? undefined : rest.join(".");
  if (word === "secrets" && name !== undefined)
    throw new BakeError(`invalid key ${left}, secret does not support subkeys`);
  const key = singular.get(word) ?? word;
  if (value === undefined && key !== "arg")
    throw new BakeError(`invalid override ${text}, expected target.name=value`);
  return { pattern, key, name, isAdded, value, left };
}

/** Keys that may be given in the plural. */
const singular = new Map<string, string>(
  [
    "annotation",
    "arg",
    "entitlement",
    "extra-host",
    "label",
    "platform",
    "resource",
    "secret",
    "tag",
    "ulimit",
  ].map((word) => [`${word}s`, word] as const),
);

/** The change that an earlier one comes to with another value; nothing given clears what there is. */
function added(before: Change | undefined, { name = "", isAdded }: Given, value: string): Change {
  const clears = !isAdded && value === "";
  const isClear = before?.isClear === true || clears;
  return {
    name,
    value,
    values: clears ? [] : [...(before?.values ?? []), value],
    isClear,
    isAdded: isAdded && !isClear,
  };
}

/** A target of the name, or those that match the pattern. */
function targetsOf(pattern: string, targets: readonly TargetFields[]): string[] {
  const names = targets.map(({ name }) => name);
  if (names.includes(pattern)) return [pattern];
  const found = names.filter((name) => {
    const matches = pathMatch(pattern, name);
    if (matches === undefined)
      throw new BakeError(`could not match targets with '${pattern}': syntax error in pattern`);
    return matches;
  });
  if (found.length === 0) throw new BakeError(`could not find any target matching '${pattern}'`);
  return found;
}

/** Changes a target: lists and values first, then single secrets, then what `push` and `load` make of the outputs. */
export function applyOverrides(target: TargetFields, changes: ReadonlyMap<string, Change> | undefined): void {
  const inTurn = [...(changes ?? [])].sort(([a], [b]) => turnOf(a) - turnOf(b));
  for (const [id, change] of inTurn) {
    const word = id.split(".", 1)[0] as string;
    const key = findOverrideKey(word);
    if (!key) throw new BakeError(`unknown key: ${word}`);
    try {
      key.apply(target, change);
    } catch (error) {
      throw error instanceof CtyError ? new BakeError(error.message) : error;
    }
  }
}

function turnOf(id: string): number {
  if (id === "load") return 3;
  if (id === "push") return 2;
  return id.startsWith("secret.") ? 1 : 0;
}
