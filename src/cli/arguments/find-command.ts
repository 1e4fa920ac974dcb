import type { Option } from "commander";

/** Where a command's name stands among arguments. */
export interface FoundName {
  /** Undefined when there are only flags. */
  name: string | undefined;
  /** The arguments without that name. */
  rest: string[];
}

/**
 * Finds the first argument that is neither a flag nor a flag's value; flags may stand before a command's name as well as
 * behind it (cobra Command.Find). A flag that is not known counts as one with a value.
 */
export function findName(args: readonly string[], options: readonly Option[]): FoundName {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === "--") break;
    if (!arg.startsWith("-") || arg === "-")
      return { name: arg, rest: [...args.slice(0, at), ...args.slice(at + 1)] };
    const takesNext = arg.startsWith("--")
      ? !arg.includes("=") && !isSwitch(options.find(({ long }) => long === arg))
      : arg.length === 2 && !isSwitch(options.find(({ short }) => short === arg));
    if (takesNext) at += 1;
  }
  return { name: undefined, rest: [...args] };
}

/** True for a flag that stands for itself, without a value. */
export function isSwitch(option: Option | undefined): boolean {
  return option !== undefined && !option.required;
}
