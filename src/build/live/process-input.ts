import type { Readable } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { gateway } from "../../buildkit/index.js";
import {
  type Bytes,
  type ByteSource,
  InvalidArgumentError,
  bytesOf,
  holdStream,
  readableOf,
  untilAborted,
} from "../../core/index.js";
import { sizeKind } from "./option-kinds.js";

type ExecMessage = gateway.ExecMessage;

/** Size of a terminal, in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** Bytes of input in one message. */
const inputBytes = 64 << 10;

/** A message about the one process of a container. */
export function processMessage(Input: ExecMessage["Input"]): ExecMessage {
  return create(gateway.ExecMessageSchema, { ProcessID: "1", Input });
}

/**
 * Passes the caller's input on, no faster than the daemon takes it, until its end or that of the command. What is left of a stream
 * then is thrown away with it, but for standard input, which belongs to the program.
 */
export async function feed(
  requests: Requests,
  stdin: string | Bytes | ByteSource | undefined,
  signal: AbortSignal,
): Promise<void> {
  const bytes = bytesOf(stdin);
  if (bytes) await send(requests, bytes, signal);
  else if (stdin !== undefined) await feedStream(requests, readableOf(stdin as ByteSource), signal);
  requests.endInput();
}

async function feedStream(requests: Requests, stream: Readable, signal: AbortSignal): Promise<void> {
  holdStream(stream);
  try {
    for (;;) {
      const chunk: unknown = stream.read();
      if (chunk !== null && chunk !== undefined) {
        const bytes = bytesOf(chunk);
        if (!bytes)
          throw new InvalidArgumentError("the input of exec() gave what is neither a text nor bytes");
        await send(requests, bytes, signal);
      } else if (stream.readableEnded) return;
      else if (stream.errored) throw stream.errored;
      else if (stream.destroyed)
        throw new InvalidArgumentError("the input of exec() was closed before its end");
      else await moreOf(stream, signal);
    }
  } finally {
    if (stream !== (process.stdin as Readable)) stream.destroy();
    else stream.pause();
  }
}

/** Waits until there is something to read, or nothing will come any more. */
async function moreOf(stream: Readable, signal: AbortSignal): Promise<void> {
  const events = ["readable", "end", "close", "error"];
  let onEvent = () => {};
  try {
    const any = new Promise<void>((resolve) => (onEvent = resolve));
    for (const event of events) stream.on(event, onEvent);
    await untilAborted(signal, any);
  } finally {
    for (const event of events) stream.off(event, onEvent);
  }
}

async function send(requests: Requests, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  for (let at = 0; at < bytes.length; at += inputBytes) {
    const Data = bytes.subarray(at, at + inputBytes);
    const value = create(gateway.FdMessageSchema, { Fd: 0, Data });
    await untilAborted(signal, requests.taking(processMessage({ case: "File", value })));
  }
}

/** Passes new sizes of a terminal on, until the command ends. @throws InvalidArgumentError for what is no size. */
export async function resize(
  requests: Requests,
  sizes: AsyncIterable<TerminalSize>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = sizes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await untilAborted(signal, iterator.next());
      if (next.done) return;
      const fault = sizeKind.fault(next.value);
      if (fault) throw new InvalidArgumentError(`a size of resizes${fault.path} ${fault.problem}`);
      requests.push(resizeMessage(next.value));
    }
  } finally {
    // One that waits for its next size ends when that comes.
    void iterator.return?.().catch(() => {});
  }
}

/** Tells the size of the terminal. */
export function resizeMessage({ rows, columns }: TerminalSize): ExecMessage {
  const value = create(gateway.ResizeMessageSchema, { Rows: rows, Cols: columns });
  return processMessage({ case: "Resize", value });
}

/** Messages on their way to the daemon, which takes them one at a time. */
export class Requests {
  readonly #waiting: { message: ExecMessage; onTaken?: () => void }[] = [];
  #wake: () => void = () => {};
  #hasEnded = false;
  #inputEnded = false;

  /**
   * The command's input is at its end: it came to that, or the command has ended before. The daemon waits for this before it says
   * that all is done (BK frontend/gateway processIO).
   */
  endInput(): void {
    if (this.#inputEnded) return;
    this.#inputEnded = true;
    // Nobody reads it any more, and to write it would be an error.
    for (const { message, onTaken } of this.#waiting.splice(0))
      if (message.Input.case === "File") onTaken?.();
      else this.#waiting.push({ message, ...(onTaken && { onTaken }) });
    const value = create(gateway.FdMessageSchema, { Fd: 0, EOF: true });
    this.push(processMessage({ case: "File", value }));
  }

  push(message: ExecMessage): void {
    this.#waiting.push({ message });
    this.#wake();
  }

  /** Resolves when the daemon has taken the message. */
  taking(message: ExecMessage): Promise<void> {
    if (this.#inputEnded) return Promise.resolve();
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
