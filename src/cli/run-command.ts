import { Command, CommanderError, Option } from "commander";
import { type ProgramName, checkOperands, findName, readArguments } from "./arguments/index.js";
import { type CliContext, type CliProcess, ExitCode } from "./cli-context.js";
import { type CommandEntry, commandTable } from "./command-table.js";
import { type Invocation, readInvocation } from "./invocation.js";
import { Printer } from "./printer.js";
import { brokenPipeCode, watchOutput } from "./watch-output.js";

/**
 * Runs one command line and gives its exit code. Loads the code of the one command only; nothing is thrown, what fails is
 * printed on stderr.
 */
export async function runCommand(args: readonly string[], own: CliProcess): Promise<number> {
  const output = watchOutput(own.stdout);
  watchOutput(own.stderr);
  const { env, signal, invokedAs } = own;
  const stderr = new Printer(own.stderr, env);
  const context: CliContext = {
    env,
    signal,
    stdout: new Printer(own.stdout, env),
    stderr,
    ...(invokedAs !== undefined && { invokedAs }),
    get stdin() {
      return own.stdin;
    },
  };
  const state = { debug: false };
  try {
    // What Node puts where an argument's bytes are not UTF-8.
    if (args.some((text) => text.includes("\ufffd")))
      (await import("../config/index.js")).checkArgumentBytes(args);
    await dispatch(await readInvocation(args, context), state);
    if (output.broken) return brokenPipeCode;
    // A terminal that is gone is told by a signal.
    if (output.failure && !context.stdout.isTerminal) throw output.failure;
    return 0;
  } catch (thrown) {
    if (output.broken) return brokenPipeCode;
    const isLost = output.failure !== undefined && thrown === output.failure;
    const error = isLost ? (await import("../fs/index.js")).writeError("to standard output", thrown) : thrown;
    if (error instanceof ExitCode) return error.exitCode;
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const { renderError } = await import("./render-error.js");
    return renderError(error, { printer: stderr, env, debug: state.debug });
  }
}

/** Finds the command, reads its arguments as Go's flags would be, and runs it. */
async function dispatch({ args, context, name }: Invocation, state: { debug: boolean }): Promise<void> {
  const program = programOf(context);
  const help = new Option("-h, --help");
  if (args[0] === "__complete" || args[0] === "__completeNoDesc") {
    const { printCompletions } = await import("./completion/print-completions.js");
    const descriptions = args[0] === "__complete";
    return await printCompletions(args.slice(1), program, context, { descriptions });
  }
  const found = findName(args, [...program.options, help]);
  const asked = found.name === "help" ? findName(found.rest, program.options) : found;
  const entry = commandTable.find(
    ({ name, alias }) => asked.name !== undefined && (name === asked.name || alias === asked.name),
  );
  if (!entry) {
    if (found.name === undefined) readFlags(args, [...program.options, help], state);
    return await withoutCommand(program, asked.name, found.name === "help", context, name);
  }
  const chosen = await loadCommand(entry, asked.rest, context, name);
  const { command, path } = chosen;
  program.addCommand(chosen.top);
  const options = [...program.options, ...command.options, help];
  const { flags, operands } = readFlags(chosen.rest, options, state);
  // A command that only groups others takes nothing itself.
  const isTopic = command.commands.length > 0 && command.registeredArguments.length === 0;
  const [unknown] = isTopic ? operands : [];
  if (unknown !== undefined && !flags.some(({ option }) => option === help))
    throw await unknownCommand(
      unknown,
      command.commands.map((known) => known.name()),
      path,
    );
  if (found.name === "help" || isTopic || flags.some(({ option }) => option === help)) {
    const { printHelp } = await import("./print-help.js");
    return printHelp({ command, path, program, printer: context.stdout });
  }
  checkOperands(command, operands, name, path);
  const isGlobal = (option: Option) => program.options.includes(option);
  const text = (wanted: boolean) =>
    flags.filter(({ option }) => isGlobal(option) === wanted).map((flag) => flag.text);
  // In this form commander has nothing left to find fault with.
  await program.parseAsync([...text(true), ...chosen.names, ...text(false), "--", ...operands], {
    from: "user",
  });
}

function programOf({ env, stdout }: CliContext): Command {
  const program = new Command("slipway")
    .usage("[OPTIONS] COMMAND")
    .description("Extended build capabilities with BuildKit, without docker")
    .option("--builder <string>", "Override the configured builder instance", env["BUILDX_BUILDER"])
    .option("-D, --debug", "Enable debug logging");
  return prepare(program).configureOutput({
    writeOut: (text) => stdout.text(text),
    // Errors of the arguments are printed with all others.
    writeErr: () => {},
  });
}

function prepare(command: Command): Command {
  return command.exitOverride().helpOption(false).helpCommand(false).enablePositionalOptions();
}

/** Reads flags and operands; notes `--debug` at once, so that an error of another flag shows its stack. */
function readFlags(args: readonly string[], options: readonly Option[], state: { debug: boolean }) {
  state.debug = args.includes("-D") || args.includes("--debug");
  return readArguments(args, options);
}

/** The command of an entry, or that of its own commands which the arguments name. */
async function loadCommand(
  entry: CommandEntry,
  args: readonly string[],
  context: CliContext,
  name: ProgramName,
) {
  const top = prepare((await entry.load()).command(context));
  if (entry.alias && !top.aliases().includes(entry.alias)) top.alias(entry.alias);
  let command = top;
  let rest = [...args];
  const names = [entry.name];
  while (command.commands.length > 0) {
    const found = findName(rest, [...command.options, new Option("-h, --help"), new Option("-D, --debug")]);
    const next = command.commands.find((known) =>
      [known.name(), ...known.aliases()].includes(found.name ?? ""),
    );
    if (!next) break;
    command = prepare(next);
    rest = found.rest;
    names.push(next.name());
  }
  return { top, command, rest, names, path: [name.path, ...names].join(" ") };
}

/** The complaint alone: a whole help before it (cobra) hides what was wrong. */
async function unknownCommand(name: string, known: readonly string[], path: string): Promise<Error> {
  const { InvalidArgumentError, nearestHint } = await import("../core/index.js");
  return new InvalidArgumentError(
    `unknown command: ${JSON.stringify(name)}${nearestHint(name, known)}\n\nRun '${path} --help' for more information`,
  );
}

/** The program's own help, unless a command was named that is none. */
async function withoutCommand(
  program: Command,
  asked: string | undefined,
  isHelp: boolean,
  { stdout, stderr }: CliContext,
  { path }: ProgramName,
): Promise<void> {
  const isUnknown = asked !== undefined;
  if (isUnknown && !isHelp)
    throw await unknownCommand(
      asked,
      commandTable.map((known) => known.name),
      path,
    );
  const { printHelp } = await import("./print-help.js");
  if (isUnknown) stderr.text(`Unknown help topic [\`${asked}\`]\n`);
  printHelp({ command: program, path, program, printer: isUnknown ? stderr : stdout });
}
