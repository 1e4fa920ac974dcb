import { Command } from "commander";
import { ExitCode } from "../../cli/index.js";
import { isSlipwayError, messageOf, withDeadline } from "../../core/index.js";
import {
  type ContainerWait,
  type EngineClient,
  EngineError,
  type ExecStream,
} from "../../engine-api/index.js";
import { CommandFailure, usageExitCode } from "../command-failure.js";
import { carryStreams } from "../container/carry-streams.js";
import { type ContainerFlags, addContainerFlags } from "../container/container-flags.js";
import type { Attached } from "../container/create-body.js";
import { createContainer } from "../container/create-container.js";
import { type DockerContext, withEngine } from "../docker-context.js";
import { readSwitch } from "../numbers.js";

interface RunFlags extends ContainerFlags {
  detach?: boolean;
  sigProxy: boolean;
}

/** Exit codes of programs that could not be started: not to be run, not to be found. */
const startExitCodes = new Set([126, 127]);

/** How long the engine may take to say with which exit code a start has failed, in ms. */
const tellMilliseconds = 5_000;

/** `docker run`: makes a container and runs it to its end, with its streams and its exit code. */
export function run(context: DockerContext): Command {
  const command = new Command("run")
    .description("Create and run a new container from an image")
    .usage("[OPTIONS] IMAGE [COMMAND] [ARG...]")
    .argument("<image>")
    .argument("[command...]");
  return addContainerFlags(command, context.env)
    .option("-d, --detach", "Run container in background and print container ID")
    .option("--sig-proxy [bool]", "Proxy received signals to the process (default true)", readSwitch, true)
    .action((image: string, args: string[], flags: RunFlags) => start(image, args, flags, context));
}

/** `docker create`: makes a container and leaves it there. */
export function create(context: DockerContext): Command {
  const command = new Command("create")
    .description("Create a new container")
    .usage("[OPTIONS] IMAGE [COMMAND] [ARG...]")
    .argument("<image>")
    .argument("[command...]");
  return addContainerFlags(command, context.env).action(
    (image: string, args: string[], flags: ContainerFlags) =>
      withEngine(context, async (engine) => {
        const id = await createContainer(
          engine,
          { image, args, flags, attached: attachedOf(flags, false) },
          context,
        );
        context.stdout.text(`${id}\n`);
      }),
  );
}

/** Reports what keeps a container from running in docker's words, and with docker's exit code for it. */
async function withHint(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ExitCode || isSlipwayError(error, "ABORTED")) throw error;
    const exitCode = error instanceof StartFailure ? error.exitCode : usageExitCode;
    const text = `docker: ${messageOf(error)}\n\nRun 'docker run --help' for more information`;
    throw new CommandFailure(text, { exitCode, cause: error });
  }
}

class StartFailure extends CommandFailure {}

function attachedOf({ attach = [], interactive = false }: ContainerFlags, detach: boolean): Attached {
  if (detach) return { stdin: false, stdout: false, stderr: false };
  if (attach.length === 0) return { stdin: interactive, stdout: true, stderr: true };
  return {
    stdin: attach.includes("stdin"),
    stdout: attach.includes("stdout"),
    stderr: attach.includes("stderr"),
  };
}

async function start(
  image: string,
  args: readonly string[],
  flags: RunFlags,
  context: DockerContext,
): Promise<void> {
  const { stdin, stdout, signal } = context;
  const detach = flags.detach ?? false;
  if (detach && flags.attach)
    throw new CommandFailure("conflicting options: cannot specify both --attach and --detach");
  const attached = attachedOf(flags, detach);
  if (flags.tty && attached.stdin && !stdin.isTTY) throw new CommandFailure("the input device is not a TTY");
  await withHint(() =>
    withEngine(context, async (engine) => {
      const id = await createContainer(engine, { image, args, flags, attached }, context);
      if (detach) {
        await engine.containers.start(id, { signal });
        stdout.text(`${id}\n`);
        return;
      }
      const exitCode = await follow(engine, id, flags, attached, context);
      if (exitCode !== 0) throw new ExitCode(exitCode);
    }),
  );
}

/** Runs a container that was made, attached to it, and gives its exit code. */
async function follow(
  engine: EngineClient,
  id: string,
  flags: RunFlags,
  attached: Attached,
  context: DockerContext,
): Promise<number> {
  const { containers } = engine;
  const tty = flags.tty ?? false;
  const streams = await attach(engine, id, { ...attached, tty }, context);
  const { exit } = await containers.startWait(id, {
    condition: flags.rm ? "removed" : "next-exit",
    signal: context.signal,
  });
  const release = flags.sigProxy && !tty ? proxySignals(engine, id, context) : undefined;
  try {
    await startOrTell(engine, id, exit, flags, context);
    const resize = (size: { rows: number; columns: number }) => containers.resize(id, size);
    if (streams) await carryStreams(streams, context, { stdin: attached.stdin, tty, resize });
    const { StatusCode, Error: failure } = await exit;
    if (failure?.Message) throw new CommandFailure(failure.Message, { exitCode: usageExitCode });
    return StatusCode;
  } finally {
    release?.();
    streams?.destroy();
  }
}

async function attach(
  { containers }: EngineClient,
  id: string,
  { stdin, stdout, stderr, tty }: Attached & { tty: boolean },
  { signal, stderr: printer }: DockerContext,
): Promise<ExecStream | undefined> {
  if (!stdin && !stdout && !stderr) return undefined;
  return containers.attach(id, {
    ...{ stdin, stdout, stderr, tty, signal },
    onStderr: (data) => void printer.payload(data),
  });
}

/** Signals go to the container, which decides what they do. */
function proxySignals({ containers }: EngineClient, id: string, { takeSignals }: DockerContext): () => void {
  return takeSignals((name) => {
    // One that comes after the end, or that the container does not know, changes nothing.
    void containers.kill(id, { unixSignal: name }).catch(() => {});
  });
}

/**
 * Starts a container. If it cannot be started, the engine names an exit code that says why; without one, docker's own is
 * used.
 */
async function startOrTell(
  { containers }: EngineClient,
  id: string,
  exit: Promise<ContainerWait>,
  { rm }: RunFlags,
  { signal }: DockerContext,
): Promise<void> {
  try {
    await containers.start(id, { signal });
  } catch (error) {
    if (!(error instanceof EngineError) || error.status === undefined) throw error;
    const told = rm
      ? exit.then(({ StatusCode }) => StatusCode)
      : containers.inspect(id).then(({ State }) => State.ExitCode);
    const code = await withDeadline(
      signal,
      tellMilliseconds,
      "asking why a container did not start",
      () => told,
    ).catch(() => 0);
    const exitCode = startExitCodes.has(code) ? code : usageExitCode;
    throw new StartFailure(messageOf(error), { exitCode, cause: error });
  }
}
