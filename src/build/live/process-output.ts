import { Writable } from "node:stream";
import {
  InvalidArgumentError,
  SlipwayError,
  holdStream,
  messageOf,
  roomIn,
  writableOf,
} from "../../core/index.js";

/** Where one of a command's outputs goes. */
export interface Output extends Disposable {
  /** Resolves when there is room for more; undefined when there is. */
  write(data: Uint8Array): Promise<void> | undefined;
  /** Resolves when all of it was taken; undefined when it is. */
  flushed(): Promise<void> | undefined;
  kept(): Buffer;
}

/** Most bytes of output that are kept unless told otherwise. */
const keptOutput = 16 << 20;

/** What is made of the outputs of a command. */
export interface OutputOptions {
  stdout?: Writable | WritableStream;
  stderr?: Writable | WritableStream;
  maxOutput?: number;
}

/**
 * The outputs of a command, by number. A stream of the caller's is not ended, and nothing is left on it when the output is
 * disposed of; `onBroken` is told when one takes no more.
 *
 * @throws what a stream failed with before, InvalidArgumentError for one that is closed, or locked by another.
 */
export function openOutputs(
  { stdout, stderr, maxOutput = keptOutput }: OutputOptions,
  onBroken: (error: Error) => void,
): Record<1 | 2, Output> {
  const open = (name: "stdout" | "stderr", target: Writable | WritableStream | undefined) => {
    if (target === undefined) return keeping(name, maxOutput);
    return "getWriter" in target
      ? toWebStream(name, target, onBroken)
      : toStream(writableOf(target), onBroken);
  };
  const first = open("stdout", stdout);
  try {
    return { 1: first, 2: stderr !== undefined && stderr === stdout ? first : open("stderr", stderr) };
  } catch (error) {
    first[Symbol.dispose]();
    throw error;
  }
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
      return undefined;
    },
    flushed: () => undefined,
    kept: () => Buffer.concat(chunks),
    [Symbol.dispose]() {},
  };
}

function toStream(stream: Writable, onBroken: (error: Error) => void): Output {
  // Of streams of other packages only the methods are sure.
  const { errored } = stream as { errored?: Error | null };
  if (errored) throw errored;
  if (stream.destroyed || stream.writableEnded) throw closedError();
  const onClose = () => onBroken(closedError());
  holdStream(stream);
  stream.on("error", onBroken);
  stream.on("close", onClose);
  // Those of other packages do not all call back.
  const callsBack = (stream as object) instanceof Writable;
  let last: Promise<void> | undefined;
  return {
    write(data) {
      // What the command prints may come before the events of a stream do.
      if (stream.destroyed || stream.writableEnded) throw stream.errored ?? closedError();
      if (!callsBack) return stream.write(data) ? undefined : roomIn(stream);
      let hasRoom = true;
      const taken = new Promise<void>((resolve, reject) => {
        hasRoom = stream.write(data, (error) => (error ? reject(error) : resolve()));
      });
      taken.then(
        () => last === taken && (last = undefined),
        () => {}, // the stream tells it as well
      );
      last = taken;
      return hasRoom ? undefined : roomIn(stream);
    },
    flushed: () => last,
    kept: () => Buffer.alloc(0),
    [Symbol.dispose]() {
      stream.off("close", onClose);
      stream.off("error", onBroken);
    },
  };
}

/** A web stream is locked only for as long as the command runs. */
function toWebStream(name: string, stream: WritableStream, onBroken: (error: Error) => void): Output {
  let writer: WritableStreamDefaultWriter;
  try {
    writer = stream.getWriter();
  } catch (error) {
    throw new InvalidArgumentError(
      `the stream for ${name} of exec() cannot be written: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  let isOver = false;
  const broken = (error: unknown) => {
    if (!isOver) onBroken(error instanceof Error ? error : new Error(String(error)));
  };
  writer.closed.then(() => broken(closedError()), broken);
  let last: Promise<void> | undefined;
  return {
    write(data) {
      last = writer.write(Buffer.from(data));
      last.catch(broken);
      return (writer.desiredSize ?? 0) > 0 ? undefined : writer.ready;
    },
    flushed: () => last,
    kept: () => Buffer.alloc(0),
    [Symbol.dispose]() {
      if (isOver) return;
      isOver = true;
      writer.ready.catch(() => {});
      writer.releaseLock();
    },
  };
}

function closedError(): InvalidArgumentError {
  return new InvalidArgumentError("the stream for the output of exec() takes no more: it was closed");
}
