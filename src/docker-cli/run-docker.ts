import { type Command, Option } from "commander";
import {
  ExitCode,
  Printer,
  brokenPipeCode,
  checkOperands,
  dockerFlags,
  readArguments,
  usageLine,
  watchOutput,
  withDockerFlags,
} from "../cli/index.js";
import { checkArgumentBytes } from "../config/index.js";
import { isSlipwayError, messageOf, orAborted } from "../core/index.js";
import { writeError } from "../fs/index.js";
import { CommandFailure, usageExitCode } from "./command-failure.js";
import { type DockerCommand, buildCommands, dockerCommands, isTopic } from "./command-table.js";
import type { DockerContext, DockerProcess } from "./docker-context.js";

const helpOption = new Option("--help", "Print usage");
const rootOptions = [...dockerFlags, new Option("-v, --version"), new Option("-h, --help")];

/**
 * Runs one command line of `slipway-docker` and gives its exit code. Loads the code of the one command only; nothing is
 * thrown, what fails is printed on stderr in docker's form.
 */
export async function runDocker(args: readonly string[], own: DockerProcess): Promise<number> {
  const output = watchOutput(own.stdout);
  watchOutput(own.stderr);
  const stderr = new Printer(own.stderr, own.env);
  const context = { ...own, stdout: new Printer(own.stdout, own.env), stderr };
  try {
    checkArgumentBytes(args);
    // What breaks because of a cancel, such as a stream in the middle, is the cancel.
    const exitCode = await orAborted(own.signal, dispatch(args, context, own));
    if (output.broken) return brokenPipeCode;
    // A terminal that is gone is told by a signal.
    if (output.failure && !context.stdout.isTerminal) throw output.failure;
    return exitCode;
  } catch (thrown) {
    if (output.broken) return brokenPipeCode;
    const isLost = output.failure !== undefined && thrown === output.failure;
    return told(isLost ? writeError("to standard output", thrown) : thrown, stderr);
  }
}

/** Prints an error and gives the exit code that stands for it. */
function told(error: unknown, stderr: Printer): number {
  if (error instanceof ExitCode) return error.exitCode;
  if (isSlipwayError(error, "ABORTED")) return 130;
  stderr.text(`${messageOf(error)}\n`);
  return error instanceof CommandFailure ? error.exitCode : 1;
}

async function dispatch(
  args: readonly string[],
  context: DockerContext,
  own: DockerProcess,
): Promise<number> {
  const { flags, operands } = asUsage("docker [OPTIONS] COMMAND [ARG...]", "docker", () =>
    readArguments(args, rootOptions, { interspersed: false }),
  );
  const isGiven = (long: string) => flags.some(({ option }) => option.long === long);
  if (isGiven("--version")) {
    const { versionLine } = await import("./versions.js");
    context.stdout.text(versionLine);
    return 0;
  }
  const settings = flags.filter(({ option }) => option.long !== "--help");
  const { env, isDebug } = withDockerFlags(own.env, settings);
  const asked = operands[0] === "help" ? operands.slice(1) : operands;
  const wantsHelp = asked !== operands || isGiven("--help");
  if (asked.length === 0) return help("", context);
  const name = nameOf(asked);
  const rest = asked.slice(name.split(" ").length);
  const build = buildCommands[name];
  if (build) {
    const { runBuildx } = await import("./run-buildx.js");
    const given = wantsHelp ? [...rest, "--help"] : rest;
    return runBuildx(name, [...build.becomes, ...given], { ...own, env }, { isDebug });
  }
  const entry = dockerCommands.find(({ names }) => names.includes(name));
  if (!entry) {
    if (isTopic(name) && (rest[0] === undefined || rest[0].startsWith("-"))) return help(name, context);
    throw new CommandFailure(unknownCommand(asked));
  }
  await run(entry, name, wantsHelp ? ["--help"] : rest, { ...context, env });
  return 0;
}

/** The first word, or the first two where a topic's name is the first. */
function nameOf([first = "", second]: readonly string[]): string {
  const both = `${first} ${second}`;
  const isKnown = both in buildCommands || dockerCommands.some(({ names }) => names.includes(both));
  return second !== undefined && isKnown ? both : first;
}

function unknownCommand([first = "", second]: readonly string[]): string {
  const path = isTopic(first) ? `docker ${first} ${second}` : `docker ${first}`;
  const topic = isTopic(first) ? `docker ${first}` : "docker";
  return `docker: unknown command: ${path}\n\nslipway-docker has the commands that tools call around builds.\nRun '${topic} --help' for more information`;
}

async function help(topic: string, { stdout }: DockerContext): Promise<number> {
  const { topicHelp } = await import("./format-help.js");
  stdout.text(topicHelp(topic));
  return 0;
}

async function run(
  entry: DockerCommand,
  name: string,
  args: readonly string[],
  context: DockerContext,
): Promise<void> {
  const make = await entry.load();
  const command = await make(context);
  const path = `docker ${name}`;
  const options = [...command.options, helpOption];
  const { flags, operands } = asUsage(usageLine(command, path), path, () =>
    readArguments(args, options, { interspersed: !entry.runsProgram }),
  );
  if (flags.some(({ option }) => option === helpOption)) {
    const { commandHelp } = await import("./format-help.js");
    return context.stdout.text(commandHelp(command, path, entry.names));
  }
  checkOperands(command, operands, { binary: "docker", path: "docker" }, path);
  // In this form commander has nothing left to find fault with.
  await prepared(command).parseAsync([...flags.map(({ text }) => text), "--", ...operands], { from: "user" });
}

function prepared(command: Command): Command {
  return command.exitOverride().helpOption(false).helpCommand(false);
}

/** Reports what is wrong with a command line, together with its usage. */
function asUsage<T>(usage: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const text = `${messageOf(error)}\n\nUsage:  ${usage}\n\nRun '${path} --help' for more information`;
    throw new CommandFailure(text, { exitCode: usageExitCode, cause: error });
  }
}
