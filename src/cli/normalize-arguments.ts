import type { Command } from "commander";

/**
 * Rewrites arguments where Go's flags differ from commander's: a boolean flag may be written `--flag=false` there. Stops
 * at `--`.
 */
export async function normalizeArguments(args: readonly string[], command: Command): Promise<string[]> {
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
    const { parseGoBool } = await import("../config/index.js");
    const flag = parseGoBool(arg.slice(at + 1));
    if (flag === undefined) {
      const { InvalidArgumentError } = await import("../core/index.js");
      throw new InvalidArgumentError(
        `invalid argument ${JSON.stringify(arg.slice(at + 1))} for "${name}" flag: not a boolean`,
      );
    }
    if (flag) result.push(name);
  }
  return result;
}
