import type { Writable } from "node:stream";
import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { BuildkitError, gateway, type pb } from "../../buildkit/index.js";
import {
  type Bytes,
  type ByteSource,
  InvalidArgumentError,
  SlipwayError,
  abortError,
  isSlipwayError,
  linkSignal,
  messageOf,
  untilAborted,
  randomId,
} from "../../core/index.js";
import type { Gateway } from "../gateway-drive.js";
import { type ExecMount, containerMounts } from "./mounts.js";
import type { ReadResultOptions } from "./file-system.js";
import { Requests, type TerminalSize, feed, processMessage, resize, resizeMessage } from "./process-input.js";
import { type Output, openOutputs } from "./process-output.js";

/** Options of running a command in a result. */
export interface ExecOptions extends ReadResultOptions {
  /** Variables besides those of the image. */
  env?: Readonly<Record<string, string>>;
  /** Default: the image's working directory, or that of the step that failed. */
  cwd?: string;
  /** Default: the image's user, or that of the step that failed. */
  user?: string;
  /** Goes to the command; without it its input is at its end from the start. */
  stdin?: string | Bytes | ByteSource;
  /** Gets what the command prints, with back-pressure; not ended. Without it the output is in the result. */
  stdout?: Writable | WritableStream;
  /** Gets what the command prints as errors. With `tty` there is one output only. */
  stderr?: Writable | WritableStream;
  /** Gives the command a terminal. */
  tty?: boolean | TerminalSize;
  /** New sizes of the terminal. */
  resizes?: AsyncIterable<TerminalSize>;
  /** Most bytes of output that are kept for the result, of each of the two. Default 16 MiB. */
  maxOutput?: number;
  /** What the command has besides the files of the result. */
  mounts?: readonly ExecMount[];
}

/** How a command ended. */
export interface ExecResult {
  exitCode: number;
  /** Empty for an output that went to a stream. */
  stdout: Buffer;
  stderr: Buffer;
}

/** What a command runs in: the mounts of its container, and what holds for it unless it is told otherwise. */
export interface ExecPlace {
  bridge: Gateway;
  mounts: MessageInitShape<typeof pb.MountSchema>[];
  network: pb.NetMode;
  security: pb.SecurityMode;
  env: readonly string[];
  cwd: string;
  user: string;
  /** What the image runs. */
  command: readonly string[];
  platform?: MessageInitShape<typeof pb.PlatformSchema> | undefined;
}

type ExecMessage = gateway.ExecMessage;

/** How long the daemon may take to put a container away. */
const releaseMilliseconds = 2_000;

/** Exit code of what could not be started, and of what ended with it (BK executor). */
const unknownExit = 255;

/**
 * Runs a command in a container of its own: after the first process of a container has ended, no other can be started in it.
 *
 * @throws SlipwayError `RESULT_EXEC` for a command that cannot be started; AbortedError; what a stream of the caller's failed with
 */
export async function runProcess(
  place: ExecPlace,
  argv: readonly string[],
  options: ExecOptions,
  placeOf: (platform: string) => ExecPlace = () => place,
): Promise<ExecResult> {
  if (argv.length === 0) throw new InvalidArgumentError("exec() needs a command");
  const { stdin, tty, resizes } = options;
  using linked = linkSignal(options.signal);
  const { signal } = linked;
  if (signal.aborted) throw abortError(signal);
  const outputs = openOutputs(options, (error) => linked.abort(error));
  const ContainerID = randomId();
  const requests = new Requests();
  let input: Promise<void> | undefined;
  try {
    const more = await containerMounts(options.mounts ?? [], { place, placeOf, signal });
    await startable(() => place.bridge.newContainer(newContainer(ContainerID, place, more), { signal }));
    requests.push(initMessage(ContainerID, place, argv, options));
    if (typeof tty === "object") requests.push(resizeMessage(tty));
    const failed = (error: unknown) => linked.abort(error);
    input = feed(requests, stdin, signal).catch(failed);
    if (resizes) resize(requests, resizes, signal).catch(failed);
    const answers = place.bridge.execProcess(requests.taken(), { signal });
    const exitCode = await startable(() => untilExit(answers, { outputs, requests, signal }));
    return { exitCode, stdout: outputs[1].kept(), stderr: outputs[2].kept() };
  } catch (error) {
    if (options.signal?.aborted) throw abortError(options.signal);
    throw signal.aborted ? signal.reason : error;
  } finally {
    for (const output of Object.values(outputs)) output[Symbol.dispose]();
    requests.end();
    linked.abort(new Error("the command has ended"));
    await input;
    await release(place.bridge, ContainerID);
  }
}

/** What the daemon refuses is a command that cannot be run. */
async function startable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw isSlipwayError(error, "BUILDKIT_STATUS") ? cannotRun(messageOf(error), error) : error;
  }
}

function cannotRun(why: string, cause?: unknown): SlipwayError {
  return new SlipwayError("RESULT_EXEC", `the command cannot be run: ${why}`, { cause });
}

function newContainer(
  ContainerID: string,
  { mounts, network, platform }: ExecPlace,
  more: ExecPlace["mounts"],
) {
  return { ContainerID, Mounts: [...mounts, ...more], Network: network, ...(platform && { platform }) };
}

async function release(bridge: Gateway, ContainerID: string): Promise<void> {
  using limited = linkSignal(undefined, { milliseconds: releaseMilliseconds, what: "releasing a container" });
  // A connection that is lost has put it away.
  await bridge.releaseContainer({ ContainerID }, { signal: limited.signal }).catch(() => {});
}

function initMessage(
  ContainerID: string,
  place: ExecPlace,
  args: readonly string[],
  { env = {}, cwd = place.cwd, user = place.user, tty = false }: ExecOptions,
): ExecMessage {
  const own = new Map(place.env.map((text) => [text.split("=", 1)[0] ?? "", text]));
  for (const [name, value] of Object.entries(env)) own.set(name, `${name}=${value}`);
  return processMessage({
    case: "Init",
    value: create(gateway.InitMessageSchema, {
      ContainerID,
      Meta: { args: [...args], env: [...own.values()], cwd: cwd === "" ? "/" : cwd, user },
      Fds: tty ? [0, 1] : [0, 1, 2],
      Tty: tty !== false,
      Security: place.security,
    }),
  });
}

/** Reads what the daemon tells of the process, to its end. */
async function untilExit(
  answers: AsyncIterable<ExecMessage>,
  { outputs, requests, signal }: { outputs: Record<1 | 2, Output>; requests: Requests; signal: AbortSignal },
): Promise<number> {
  let exitCode: number | undefined;
  for await (const { Input } of untilFailed(answers, () => exitCode !== undefined)) {
    if (Input.case === "File" && (Input.value.Fd === 1 || Input.value.Fd === 2)) {
      const { Fd, Data } = Input.value;
      const room = Data.length > 0 ? outputs[Fd].write(Data) : undefined;
      if (room) await untilAborted(signal, room);
    } else if (Input.case === "Exit") {
      exitCode = exitCodeOf(Input.value);
      requests.endInput();
    } else if (Input.case === "Done") break;
  }
  if (exitCode === undefined)
    throw new SlipwayError("BUILDKIT_PROTOCOL", "the daemon does not tell how the command ended");
  for (const output of Object.values(outputs))
    await untilAborted(signal, output.flushed() ?? Promise.resolve());
  return exitCode;
}

/** Input that is on its way when the command ends cannot be written, for which the daemon ends the call: all else is known by then. */
async function* untilFailed<T>(answers: AsyncIterable<T>, hasExited: () => boolean): AsyncGenerator<T, void> {
  try {
    yield* answers;
  } catch (error) {
    if (!hasExited() || !isSlipwayError(error, "BUILDKIT_STATUS")) throw error;
  }
}

/** Of a process that there was, its code is also among the details of the error. @throws SlipwayError `RESULT_EXEC` */
function exitCodeOf({ Code, Error: failure }: gateway.ExitMessage): number {
  if (Code !== unknownExit) return Code;
  const wasThere = failure && new BuildkitError("BUILDKIT_STATUS", failure).detail("exit");
  if (!wasThere) throw cannotRun(failure?.message ?? "no reason given");
  return Code;
}
