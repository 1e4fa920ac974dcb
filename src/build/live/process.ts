import { type Readable, type Writable } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { type MessageInitShape } from "@bufbuild/protobuf";
import { gateway, type pb } from "../../buildkit/index.js";
import {
  type Bytes,
  type ByteSource,
  InvalidArgumentError,
  SlipwayError,
  abortError,
  bytesOf,
  holdStream,
  linkSignal,
  readableOf,
  roomIn,
  untilAborted,
  writableOf,
} from "../../core/index.js";
import type { Gateway } from "../gateway-drive.js";
import { randomId } from "../random-id.js";
import type { ReadResultOptions } from "./file-system.js";

/** Size of a terminal, in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

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
  platform?: MessageInitShape<typeof pb.PlatformSchema> | undefined;
}

type ExecMessage = gateway.ExecMessage;

const keptOutput = 16 << 20;
/** How long the daemon may take to put a container away. */
const releaseMilliseconds = 2_000;

/**
 * Runs a command in a container of its own: after the first process of a container has ended, no other can be started in it.
 *
 * @throws SlipwayError `RESULT_EXEC` for a command that cannot be started; AbortedError; what a stream of the caller's failed with
 */
export async function runProcess(
  place: ExecPlace,
  argv: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  if (argv.length === 0) throw new InvalidArgumentError("exec() needs a command");
  const { bridge } = place;
  const ContainerID = randomId();
  using linked = linkSignal(options.signal);
  const { signal } = linked;
  const outputs = { 1: outputOf("stdout", options), 2: outputOf("stderr", options) };
  await bridge.newContainer(
    {
      ContainerID,
      Mounts: place.mounts,
      Network: place.network,
      ...(place.platform && { platform: place.platform }),
    },
    { signal },
  );
  const requests = new Requests();
  let input: Promise<void> | undefined;
  try {
    requests.push(initMessage(ContainerID, place, argv, options));
    input = feed(requests, options, signal).catch((error: unknown) => linked.abort(error));
    void resize(requests, options, signal).catch((error: unknown) => linked.abort(error));
    const exitCode = await untilExit(bridge.execProcess(requests.taken(), { signal }), outputs);
    return { exitCode, stdout: outputs[1].kept(), stderr: outputs[2].kept() };
  } catch (error) {
    if (options.signal?.aborted) throw abortError(options.signal);
    throw signal.aborted ? signal.reason : error;
  } finally {
    requests.end();
    linked.abort(new Error("the command has ended"));
    await input;
    await release(bridge, ContainerID);
  }
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
  return message({
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

function message(Input: ExecMessage["Input"]): ExecMessage {
  return create(gateway.ExecMessageSchema, { ProcessID: "1", Input });
}

/** Reads what the daemon tells of the process, to its end. */
async function untilExit(
  answers: AsyncIterable<ExecMessage>,
  outputs: Record<1 | 2, Output>,
): Promise<number> {
  let exitCode: number | undefined;
  for await (const { Input } of answers) {
    if (Input.case === "File" && (Input.value.Fd === 1 || Input.value.Fd === 2)) {
      if (Input.value.Data.length > 0) await outputs[Input.value.Fd].write(Input.value.Data);
    } else if (Input.case === "Exit") {
      const { Code, Error: failure } = Input.value;
      // So the daemon says that there was no process.
      if (Code === unstarted)
        throw new SlipwayError(
          "RESULT_EXEC",
          `the command cannot be run: ${failure?.message ?? "no reason given"}`,
        );
      exitCode = Code;
    } else if (Input.case === "Done") break;
  }
  if (exitCode === undefined)
    throw new SlipwayError("BUILDKIT_PROTOCOL", "the daemon does not tell how the command ended");
  return exitCode;
}

/** Exit code of what could not be started (BK executor). */
const unstarted = 255;

/** Passes the caller's input on, no faster than the daemon takes it. */
async function feed(
  requests: Requests,
  { stdin, tty = false }: ExecOptions,
  signal: AbortSignal,
): Promise<void> {
  const size = typeof tty === "object" ? tty : undefined;
  if (size) requests.push(resizeMessage(size));
  if (stdin !== undefined) {
    const bytes = bytesOf(stdin);
    const chunks: AsyncIterable<Uint8Array> | Uint8Array[] = bytes
      ? [bytes]
      : held(readableOf(stdin as ByteSource));
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += inputBytes)
        await untilAborted(signal, requests.taking(fileMessage(chunk.subarray(at, at + inputBytes))));
      if (signal.aborted) return;
    }
  }
  requests.push(message({ case: "File", value: create(gateway.FdMessageSchema, { Fd: 0, EOF: true }) }));
}

const inputBytes = 64 << 10;

function held(stream: Readable): Readable {
  return holdStream(stream);
}

function fileMessage(Data: Uint8Array): ExecMessage {
  return message({ case: "File", value: create(gateway.FdMessageSchema, { Fd: 0, Data }) });
}

async function resize(requests: Requests, { resizes }: ExecOptions, signal: AbortSignal): Promise<void> {
  if (!resizes) return;
  for await (const size of resizes) {
    if (signal.aborted) return;
    requests.push(resizeMessage(size));
  }
}

function resizeMessage({ rows, columns }: TerminalSize): ExecMessage {
  return message({
    case: "Resize",
    value: create(gateway.ResizeMessageSchema, { Rows: rows, Cols: columns }),
  });
}

/** Messages on their way to the daemon, which takes them one at a time. */
class Requests {
  readonly #waiting: { message: ExecMessage; onTaken?: () => void }[] = [];
  #wake: () => void = () => {};
  #hasEnded = false;

  push(message: ExecMessage): void {
    this.#waiting.push({ message });
    this.#wake();
  }

  /** Resolves when the daemon has taken the message. */
  taking(message: ExecMessage): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ message, onTaken: resolve });
      this.#wake();
    });
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async *taken(): AsyncGenerator<ExecMessage, void> {
    while (!this.#hasEnded) {
      const next = this.#waiting.shift();
      if (next) {
        yield next.message;
        next.onTaken?.();
      } else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Where one of a command's outputs goes. */
interface Output {
  write(data: Uint8Array): Promise<void>;
  kept(): Buffer;
}

function outputOf(name: "stdout" | "stderr", options: ExecOptions): Output {
  const target = options[name];
  return target === undefined ? keeping(name, options.maxOutput ?? keptOutput) : passing(writableOf(target));
}

function keeping(name: string, limit: number): Output {
  const chunks: Uint8Array[] = [];
  let length = 0;
  return {
    write(data) {
      length += data.length;
      if (length > limit)
        throw new SlipwayError(
          "RESULT_EXEC",
          `the command printed more than ${limit} bytes: give exec() a stream as ${name}, or a higher maxOutput`,
        );
      // What is a view into a message would keep all of it.
      chunks.push(Buffer.from(data));
      return Promise.resolve();
    },
    kept: () => Buffer.concat(chunks),
  };
}

function passing(stream: Writable): Output {
  let failure: Error | undefined;
  stream.on("error", (error: Error) => (failure ??= error));
  return {
    async write(data) {
      if (failure) throw failure;
      if (stream.destroyed || stream.writableEnded)
        throw new InvalidArgumentError("the stream for the output of exec() takes no more: it was closed");
      if (!stream.write(data)) await roomIn(stream);
    },
    kept: () => Buffer.alloc(0),
  };
}
