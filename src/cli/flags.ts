import { parseCsvFields, parseGoBool, parseGoDuration, parseSize } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";

/** Collects every occurrence of a flag, each as it is (pflag StringArray). */
export function collect(value: string, previous: unknown): string[] {
  return [...asList(previous), value];
}

/** Collects every occurrence of a flag, one CSV record each, so that a value in quotes may hold commas (pflag StringSlice). */
export function collectList(value: string, previous: unknown): string[] {
  return [...asList(previous), ...(value === "" ? [] : parseCsvFields(value))];
}

/** commander starts flags that begin with `--no-` at true. */
function asList(previous: unknown): string[] {
  return Array.isArray(previous) ? (previous as string[]) : [];
}

/** A switch that also takes a list: `--flag`, `--flag=false`, `--flag=a,b`. */
export function switchOrList(value: string): boolean | string[] {
  return parseGoBool(value) ?? (value === "" ? [] : parseCsvFields(value).filter(Boolean));
}

/** A size such as `512m`, in bytes. */
export function bytes(value: string): number {
  return parseSize(value);
}

/** A duration such as `20s`, in ms. */
export function duration(value: string): number {
  return parseGoDuration(value);
}

/** `KEY=VALUE` texts as a record; a KEY alone gets `fallback`. The last of a key wins. */
export function keyValues<T extends string | undefined>(
  texts: readonly string[] | undefined,
  fallback: T,
): Record<string, string | T> {
  // No plain object: `__proto__` is a key like any other.
  const result = new Map<string, string | T>();
  for (const text of texts ?? []) {
    const at = text.indexOf("=");
    const key = at < 0 ? text : text.slice(0, at);
    if (key === "")
      throw new InvalidArgumentError(`invalid key-value pair ${JSON.stringify(text)}: empty key`);
    result.set(key, at < 0 ? fallback : text.slice(at + 1));
  }
  return Object.fromEntries(result);
}

/** `NAME=SOURCE` texts of named contexts as a record. The last of a name wins. */
export function namedContexts(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at <= 0) throw new InvalidArgumentError(`invalid context value: ${text}, expected key=value`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
