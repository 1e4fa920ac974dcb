import type { Option } from "commander";
import { parseGoBool } from "../../config/index.js";
import { InvalidArgumentError, messageOf, nearestHint } from "../../core/index.js";
import { isSwitch } from "./find-command.js";

/** Arguments taken apart. */
export interface ReadArguments {
  /** Flags in the form `--name` or `--name=value`, each with its option, in the order given. */
  flags: { option: Option; text: string }[];
  operands: string[];
}

/**
 * Reads arguments by the rules and in the words of Go's flags (pflag FlagSet.Parse): `--flag value`, `--flag=value`,
 * `-f value`, `-fvalue`, `-f=value`, `-qf value`; booleans take a value behind `=` only; flags and operands in any order,
 * up to `--`; without `interspersed`, flags end at the first operand, as in front of a command that is run.
 *
 * @throws InvalidArgumentError
 */
export function readArguments(
  args: readonly string[],
  options: readonly Option[],
  { interspersed = true } = {},
): ReadArguments {
  const switches = new Map<Option, boolean>();
  const values: ReadArguments["flags"] = [];
  const operands: string[] = [];
  const queue = [...args];
  const set = (option: Option, value: string | undefined) => {
    if (value !== undefined && isBoolean(option)) switches.set(option, readBoolean(option, value));
    else if (value === undefined && isSwitch(option)) {
      if (isBoolean(option)) switches.set(option, true);
      else values.push({ option, text: option.long as string });
    } else if (value !== undefined) {
      checkValue(option, value);
      values.push({ option, text: `${option.long}=${value}` });
    }
  };
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === "--") {
      operands.push(...queue);
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      operands.push(arg);
      if (!interspersed) operands.push(...queue.splice(0));
    } else if (arg.startsWith("--")) readLong(arg, options, queue, set);
    else readShort(arg, options, queue, set);
  }
  // The last of a boolean's values counts.
  for (const [option, value] of switches) if (value) values.push({ option, text: option.long as string });
  return { flags: values, operands };
}

type Set = (option: Option, value: string | undefined) => void;

function readLong(arg: string, options: readonly Option[], queue: string[], set: Set): void {
  const at = arg.indexOf("=");
  const name = at < 0 ? arg : arg.slice(0, at);
  if (/^--(?:$|-)/.test(name)) throw new InvalidArgumentError(`bad flag syntax: ${arg}`);
  const option = options.find(({ long }) => long === name);
  if (!option) {
    const known = options.map(({ long }) => long as string);
    throw new InvalidArgumentError(`unknown flag: ${name}${nearestHint(name, known)}`);
  }
  if (at >= 0) set(option, arg.slice(at + 1));
  else if (isSwitch(option)) set(option, undefined);
  else if (queue.length > 0) set(option, queue.shift());
  else throw new InvalidArgumentError(`flag needs an argument: ${name}`);
}

function readShort(arg: string, options: readonly Option[], queue: string[], set: Set): void {
  for (let letters = arg.slice(1); letters !== ""; letters = letters.slice(1)) {
    const letter = letters.charAt(0);
    const option = options.find(({ short }) => short === `-${letter}`);
    if (!option) throw new InvalidArgumentError(`unknown shorthand flag: '${letter}' in -${letters}`);
    if (letters.length > 2 && letters.charAt(1) === "=") return set(option, letters.slice(2));
    if (isSwitch(option)) {
      set(option, undefined);
      continue;
    }
    if (letters.length > 1) return set(option, letters.slice(1));
    if (queue.length === 0)
      throw new InvalidArgumentError(`flag needs an argument: '${letter}' in -${letters}`);
    return set(option, queue.shift());
  }
}

function isBoolean(option: Option): boolean {
  return !option.required && !option.optional;
}

function readBoolean(option: Option, value: string): boolean {
  const flag = parseGoBool(value);
  if (flag === undefined)
    throw refused(option, value, `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
  return flag;
}

function checkValue(option: Option, value: string): void {
  try {
    option.parseArg?.(value, undefined);
  } catch (error) {
    throw refused(option, value, messageOf(error), error);
  }
}

function refused(option: Option, value: string, why: string, cause?: unknown): InvalidArgumentError {
  const name = option.short === undefined ? option.long : `${option.short}, ${option.long}`;
  return new InvalidArgumentError(`invalid argument ${JSON.stringify(value)} for "${name}" flag: ${why}`, {
    cause,
  });
}
