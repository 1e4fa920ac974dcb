import type { Command } from "commander";
import { parseGoBool, parseGoDuration, parseSize } from "../config/index.js";
import { InvalidArgumentError, messageOf } from "../core/index.js";

/** Collects every occurrence of a flag, each as it is (pflag StringArray). */
export function collect(value: string, previous: unknown): string[] {
  return [...asList(previous), value];
}

/** Collects every occurrence of a flag, split at commas (pflag StringSlice). */
export function collectList(value: string, previous: unknown): string[] {
  return [...asList(previous), ...value.split(",")];
}

/** commander starts flags that begin with `--no-` at true. */
function asList(previous: unknown): string[] {
  return Array.isArray(previous) ? (previous as string[]) : [];
}

/** A size such as `512m`, in bytes. */
export function bytes(value: string): number {
  try {
    return parseSize(value);
  } catch (error) {
    throw new InvalidArgumentError(`invalid size: ${JSON.stringify(value)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** A duration such as `20s`, in ms. */
export function duration(value: string): number {
  try {
    return parseGoDuration(value);
  } catch (error) {
    throw new InvalidArgumentError(`invalid duration ${JSON.stringify(value)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** `KEY=VALUE` texts as a record; a KEY alone gets `fallback`. The last of a key wins. */
export function keyValues<T extends string | undefined>(
  texts: readonly string[] | undefined,
  fallback: T,
): Record<string, string | T> {
  const result: Record<string, string | T> = {};
  for (const text of texts ?? []) {
    const at = text.indexOf("=");
    const key = at < 0 ? text : text.slice(0, at);
    if (key === "")
      throw new InvalidArgumentError(`invalid key-value pair ${JSON.stringify(text)}: empty key`);
    result[key] = at < 0 ? fallback : text.slice(at + 1);
  }
  return result;
}

/**
 * Rewrites arguments where Go's flags differ from commander's: a boolean flag may be written `--flag=false` there. Stops
 * at `--`.
 */
export function normalizeArguments(args: readonly string[], command: Command): string[] {
  const booleans = new Set<string>();
  for (const option of command.options)
    if (!option.required && !option.optional)
      for (const name of [option.short, option.long]) if (name) booleans.add(name);
  const result: string[] = [];
  for (const [index, arg] of args.entries()) {
    if (arg === "--") return [...result, ...args.slice(index)];
    const at = arg.indexOf("=");
    const name = arg.slice(0, Math.max(at, 0));
    if (at < 0 || !booleans.has(name)) {
      result.push(arg);
      continue;
    }
    const flag = parseGoBool(arg.slice(at + 1));
    if (flag === undefined)
      throw new InvalidArgumentError(
        `invalid argument ${JSON.stringify(arg.slice(at + 1))} for "${name}" flag: not a boolean`,
      );
    if (flag) result.push(name);
  }
  return result;
}
