import type { Command, Option } from "commander";
import { findName, isSwitch } from "../arguments/index.js";
import type { CliContext } from "../cli-context.js";
import { commandTable } from "../command-table.js";
import { type Candidate, type Completions, directives } from "./completions.js";
import { type FlagPlace, builderNames, flagValues, operandValues } from "./values.js";

/**
 * Completes the last of the arguments, which may be empty. Reads the builder store for names; asks no daemon.
 *
 * @param program The program, with the flags that all commands take.
 */
export async function complete(
  args: readonly string[],
  program: Command,
  context: CliContext,
): Promise<Completions> {
  const current = args[args.length - 1] ?? "";
  const before = args.slice(0, -1);
  const { command, names, rest } = await commandOf(before, program, context);
  const options = [...program.options, ...(command?.options ?? [])];
  const waiting = waitingFlag(before, options);
  const place = { command: names.join(" "), before };
  if (waiting) return flagCompletions(waiting, { ...place, current }, context);
  const isDone = before.includes("--");
  if (!isDone && current.startsWith("-")) {
    const at = current.indexOf("=");
    if (at < 0) return flagNames(options, current);
    const option = options.find(({ long }) => long === current.slice(0, at));
    return option ? flagCompletions(option, { ...place, current: current.slice(at + 1) }, context) : none;
  }
  if (!command) return subcommands(tableCommands, current);
  if (command.commands.length > 0 && operandsOf(rest, options).length === 0) {
    const own = command.commands.map((one) => ({
      value: one.name(),
      description: one.summary() || one.description(),
    }));
    const found = subcommands(own, current);
    if (found.candidates.length > 0 || command.registeredArguments.length === 0) return found;
  }
  const values = await operandValues(command, { given: operandsOf(rest, options), before }, context);
  return { ...values, candidates: matching(values.candidates, current) };
}

const none: Completions = { candidates: [], directive: directives.noFiles };

const tableCommands: readonly Candidate[] = [
  ...commandTable
    .filter(({ hidden }) => !hidden)
    .map(({ name, summary }) => ({ value: name, description: summary })),
  { value: "help", description: "Help about any command" },
];

async function commandOf(args: readonly string[], program: Command, context: CliContext) {
  let { name, rest } = findName(args, program.options);
  // The help of a command has the same words before it.
  if (name === "help") ({ name, rest } = findName(rest, program.options));
  const entry = commandTable.find((known) => known.name === name || (known.alias && known.alias === name));
  let command = entry && (await entry.load()).command(context);
  const names = entry ? [entry.name] : [];
  while (command && command.commands.length > 0) {
    const found = findName(rest, [...program.options, ...command.options]);
    const next = command.commands.find((one) => one.name() === found.name);
    if (!next) break;
    command = next;
    names.push(next.name());
    rest = found.rest;
  }
  return { command, names, rest };
}

/** The flag before the cursor that still wants its value. */
function waitingFlag(args: readonly string[], options: readonly Option[]): Option | undefined {
  const last = args[args.length - 1];
  if (last === undefined || !last.startsWith("-") || last.includes("=") || args.slice(0, -1).includes("--"))
    return undefined;
  const name = last.startsWith("--") ? last : `-${last.slice(-1)}`;
  const option = options.find(({ long, short }) => long === name || short === name);
  return option && !isSwitch(option) ? option : undefined;
}

function operandsOf(args: readonly string[], options: readonly Option[]): string[] {
  const operands: string[] = [];
  for (let left = args; ;) {
    const { name, rest } = findName(left, options);
    if (name === undefined) return operands;
    operands.push(name);
    left = rest;
  }
}

function flagNames(options: readonly Option[], current: string): Completions {
  const shown = options.filter(({ hidden }) => !hidden);
  const names = shown.flatMap(({ long, short, description }) =>
    [long, short].filter((name) => name !== undefined).map((value) => ({ value, description })),
  );
  const all = [...names, { value: "--help", description: "help" }];
  return { candidates: matching(all, current), directive: directives.noFiles };
}

async function flagCompletions(option: Option, place: FlagPlace, context: CliContext): Promise<Completions> {
  const { current } = place;
  if (option.long === "--builder")
    return { candidates: matching(await builderNames(context), current), directive: directives.noFiles };
  const { candidates, directive } = flagValues(option, place);
  return { candidates: matching(candidates, current), directive };
}

function subcommands(commands: readonly Candidate[], current: string): Completions {
  return { candidates: matching(commands, current), directive: directives.noFiles };
}

function matching(candidates: readonly Candidate[], current: string): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(current));
}
