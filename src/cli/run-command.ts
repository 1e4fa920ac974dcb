import { Command, CommanderError } from "commander";
import { type CliContext, ExitCode } from "./cli-context.js";
import { commandTable } from "./command-table.js";
import { helpConfiguration } from "./help.js";
import { normalizeArguments } from "./normalize-arguments.js";
import { brokenPipeCode, watchOutput } from "./watch-output.js";

/**
 * Runs one command line and gives its exit code. Loads the code of the one command only; nothing is thrown, what fails is
 * printed on stderr.
 */
export async function runCommand(args: readonly string[], context: CliContext): Promise<number> {
  const program = new Command("slipway");
  const output = watchOutput(context.stdout);
  watchOutput(context.stderr);
  let debug = false;
  try {
    const { entry, rest, leading } = findCommand(args);
    program
      .usage("[OPTIONS] COMMAND")
      .description("Build container images with BuildKit, without docker")
      .option("--builder <string>", "Override the configured builder instance", context.env["BUILDX_BUILDER"])
      .option("-D, --debug", "Enable debug logging")
      .configureHelp(helpConfiguration)
      .configureOutput({
        writeOut: (text) => void context.stdout.write(text),
        // Errors of the arguments are printed with all others, below.
        writeErr: () => {},
      })
      .exitOverride();
    program.helpCommand(false);
    for (const { name, alias, summary, load } of commandTable) {
      const isChosen = entry?.name === name;
      const command = isChosen ? (await load()).command(context) : new Command(name).description(summary);
      if (alias) command.alias(alias);
      command.configureHelp(helpConfiguration).configureOutput(program.configureOutput()).exitOverride();
      if (isChosen) {
        // Global flags may stand behind the command's name as well.
        if (!command.options.some(({ long }) => long === "--builder"))
          command.option("--builder <string>", "Override the configured builder instance");
        command.option("-D, --debug", "Enable debug logging");
      }
      program.addCommand(command);
    }
    debug = args.includes("-D") || args.includes("--debug");
    if (!entry) {
      if (rest.length === 0 || isHelp(rest[0])) {
        program.outputHelp();
        return 0;
      }
      context.stderr.write(
        `ERROR: unknown command: ${JSON.stringify(rest[0])}\n\nRun 'slipway --help' for the commands\n`,
      );
      return 1;
    }
    const chosen = program.commands.find((command) => command.name() === entry.name) as Command;
    const normalized = await normalizeArguments(rest, chosen);
    await program.parseAsync([...leading, entry.name, ...normalized], { from: "user" });
    return output.broken ? brokenPipeCode : 0;
  } catch (error) {
    if (output.broken) return brokenPipeCode;
    if (error instanceof ExitCode) return error.exitCode;
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const { renderError } = await import("./render-error.js");
    return renderError(error, { stream: context.stderr, debug });
  }
}

/** The command among the arguments, what stands before it (global flags), and what comes after. */
function findCommand(args: readonly string[]) {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === "--builder") at += 1;
    else if (!arg.startsWith("-")) {
      const entry = commandTable.find(({ name, alias }) => name === arg || alias === arg);
      return { entry, leading: args.slice(0, at), rest: entry ? args.slice(at + 1) : args.slice(at) };
    }
  }
  return { entry: undefined, leading: [], rest: args };
}

function isHelp(arg: string | undefined): boolean {
  return arg === "-h" || arg === "--help" || arg === "help";
}
