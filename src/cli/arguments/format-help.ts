import type { Command, Option } from "commander";
import { goDuration } from "../../progress/index.js";
import { usageLine } from "./check-operands.js";

/** What {@link formatHelp} says of a command's own commands. */
export interface CommandSummary {
  name: string;
  summary: string;
}

/** Options of {@link formatHelp}. */
export interface HelpOptions {
  /** The command as it is called, `slipway build`. */
  path: string;
  commands: readonly CommandSummary[];
  flags: readonly Option[];
  globalFlags: readonly Option[];
}

/** Help as buildx lays it out (cobra's usage template). */
export function formatHelp(command: Command, help: HelpOptions): string {
  return `${command.description()}\n\n${formatUsage(command, help)}`;
}

/** {@link formatHelp} without the description. */
export function formatUsage(command: Command, { path, commands, flags, globalFlags }: HelpOptions): string {
  const isTopic = commands.length > 0 && command.registeredArguments.length === 0;
  const usage = [
    isTopic ? path : usageLine(command, path),
    ...(commands.length > 0 ? [`${path} [command]`] : []),
  ];
  const parts = [`Usage:\n${usage.map((line) => `  ${line}\n`).join("")}`];
  if (command.aliases().length > 0)
    parts.push(`Aliases:\n  ${[command.name(), ...command.aliases()].join(", ")}\n`);
  if (commands.length > 0) {
    const width = Math.max(11, ...commands.map(({ name }) => name.length));
    const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)} ${summary}\n`);
    parts.push(`Available Commands:\n${lines.join("")}`);
  }
  parts.push(`Flags:\n${flagLines(flags)}`);
  if (globalFlags.length > 0) parts.push(`Global Flags:\n${flagLines(globalFlags)}`);
  if (commands.length > 0)
    parts.push(`Use "${path} [command] --help" for more information about a command.\n`);
  return parts.join("\n");
}

/** Flags in the order of their names, in columns (pflag FlagUsages). */
function flagLines(options: readonly Option[]): string {
  const shown = options.filter(({ hidden }) => !hidden);
  const rows = shown
    .sort((a, b) => ((a.long ?? "") < (b.long ?? "") ? -1 : 1))
    .map((option) => ({ left: flagNames(option), right: `${option.description}${defaultOf(option)}` }));
  const width = Math.max(0, ...rows.map(({ left }) => left.length));
  return rows.map(({ left, right }) => `${left.padEnd(width)}   ${right}\n`).join("");
}

function flagNames({ short, long, flags }: Option): string {
  const named = /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1];
  // pflag shows none for booleans.
  const value = named === "bool" ? undefined : named;
  return `  ${short ? `${short}, ` : "    "}${long}${value === undefined ? "" : ` ${value}`}`;
}

function defaultOf({ defaultValue, negate, flags }: Option): string {
  if (defaultValue === undefined || negate || defaultValue === "" || defaultValue === false) return "";
  const value: unknown = defaultValue;
  if (Array.isArray(value)) return ` (default [${value.join(",")}])`;
  if (typeof value === "number" && flags.includes("<duration>")) return ` (default ${goDuration(value)})`;
  return ` (default ${JSON.stringify(value)})`;
}
