import { trimTrailing } from "../../core/index.js";
import { escapeGoJson } from "../../config/index.js";
import { goSprint, goSprintf, goSprintln, goString } from "./go-print.js";

/** A function of templates. What it throws becomes the template's error. */
export type TemplateFunction = (...values: unknown[]) => unknown;

/** False, zero, nothing, and empty strings, lists and maps (text/template IsTrue). */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return Boolean(value);
}

/** docker/cli's functions (templates.basicFunctions) and text/template's own. `and` and `or` are the evaluator's. */
export const templateFunctions: Readonly<Record<string, TemplateFunction>> = {
  json: formatJson,
  split: (text, separator) => string(text).split(string(separator)),
  join: joinElements,
  title: (text) =>
    string(text).replace(
      /(^|[^\p{L}\p{N}_])(\p{L})/gu,
      (_all, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  lower: (text) => string(text).toLowerCase(),
  upper: (text) => string(text).toUpperCase(),
  pad: (text, before, after) =>
    string(text) && " ".repeat(integer(before)) + string(text) + " ".repeat(integer(after)),
  truncate: (text, length) => truncateBytes(string(text), integer(length)),
  print: (...values) => goSprint(values),
  println: (...values) => goSprintln(values),
  printf: (format, ...values) => goSprintf(string(format), values),
  not: (value) => !isTrue(value),
  len: lengthOf,
  index: (value, ...keys) => keys.reduce(elementOf, value),
  slice: (value, from = 0, to) => {
    const list = Array.isArray(value) ? value : string(value);
    return list.slice(integer(from), to === undefined ? undefined : integer(to));
  },
  eq: (first, ...others) => others.some((other) => isEqual(first, other)),
  ne: (a, b) => !isEqual(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
};

/** What the same functions do in the heading of a table: leave it as it is (docker/cli HeaderFunctions). */
export const headerFunctions: Readonly<Record<string, TemplateFunction>> = {
  ...templateFunctions,
  ...Object.fromEntries(
    ["json", "split", "join", "title", "lower", "upper", "truncate"].map((name) => [
      name,
      (value: unknown) => value,
    ]),
  ),
};

/** JSON without the HTML escapes; maps with sorted keys, as Go writes them. `indent` as in JSON.stringify. */
export function formatJson(value: unknown, indent?: unknown): string {
  const text = JSON.stringify(
    value ?? null,
    (_key, item: unknown) => {
      if (item instanceof Map)
        return Object.fromEntries([...(item as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1)));
      return typeof item === "bigint" ? Number(item) : item;
    },
    typeof indent === "number" ? indent : undefined,
  );
  return text ?? "null";
}

/** {@link formatJson} with the HTML escapes. */
export function formatGoJson(value: unknown, indent?: number): string {
  return escapeGoJson(formatJson(value, indent));
}

function joinElements(elements: unknown, separator: unknown): string {
  if (elements === undefined || elements === null) return "";
  if (Array.isArray(elements)) return elements.map((item) => goString(item)).join(string(separator));
  if (elements instanceof Map)
    return [...(elements as Map<unknown, unknown>).values()].map(goString).sort().join(string(separator));
  throw new Error(`expected slice, got ${typeof elements}`);
}

function truncateBytes(text: string, length: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length < length) return text;
  return trimTrailing(bytes.subarray(0, length).toString(), "\ufffd");
}

function lengthOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  throw new Error(`len of type ${typeof value}`);
}

function elementOf(value: unknown, key: unknown): unknown {
  if (value instanceof Map) return (value as Map<unknown, unknown>).get(key);
  if (!Array.isArray(value) && typeof value !== "string")
    throw new Error(`can't index item of type ${typeof value}`);
  const index = integer(key);
  if (index < 0 || index >= value.length) throw new Error(`index out of range: ${index}`);
  return typeof value === "string" ? Buffer.from(value)[index] : (value as unknown[])[index];
}

function isEqual(a: unknown, b: unknown): boolean {
  if (a === b || (a ?? undefined) === (b ?? undefined)) return true;
  if (a !== undefined && b !== undefined && a !== null && b !== null && typeof a !== typeof b)
    throw new Error("incompatible types for comparison");
  return false;
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  throw new Error("incompatible types for comparison");
}

function string(value: unknown): string {
  if (typeof value === "string") return value;
  throw new Error(`wrong type for value; expected string; got ${typeof value}`);
}

function integer(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw new Error(`wrong type for value; expected int; got ${typeof value}`);
}
