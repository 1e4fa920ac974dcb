import { Duplex } from "node:stream";
import { type ClientStream, frameHead } from "../http2/index.js";
import { AnswerBytes, type AnswerBytesOptions } from "./answer-bytes.js";

/** Largest payload of one message. buildkitd takes 16 MiB; its own Go client sends what one write has. */
const messageBytes = 1024 * 1024;

type Callback = (error?: Error | null) => void;

/**
 * Control.Session as a byte pipe: what is written goes out as BytesMessages, what BytesMessages bring is read. Where
 * messages begin and end means nothing. Ending it half-closes the call, as Go's CloseSend does; it ends when the daemon
 * ends the call. A status other than OK, a reset or a lost connection destroys it with the error.
 *
 * A write is acknowledged when its bytes are out.
 */
export class SessionPipe extends Duplex {
  readonly #stream: ClientStream;
  readonly #answers: AnswerBytes;

  constructor(stream: ClientStream, { signal, explain }: Pick<AnswerBytesOptions, "signal" | "explain">) {
    super({ readableHighWaterMark: messageBytes, writableHighWaterMark: messageBytes });
    this.#stream = stream;
    this.#answers = new AnswerBytes(this, stream, { signal, explain });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#send([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: Callback): void {
    this.#stream.end(() => callback());
  }

  override read(size?: number): unknown {
    const read: unknown = super.read(size);
    this.#answers.afterRead();
    return read;
  }

  override _read(): void {
    this.#answers.resume();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#answers.release();
    callback(error);
  }

  #send(chunks: Buffer[], callback: Callback): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.writableEnded) {
      // "close" brings the reason; writes are dropped until then, as a socket's are.
      callback();
      return;
    }
    const messages: Buffer[] = [];
    for (const message of split(chunks, messageBytes)) {
      messages.push(frameHead(message.reduce((sum, chunk) => sum + chunk.length, 0)));
      messages.push(...message);
    }
    stream.send(messages, callback);
  }
}

/** Groups chunks into messages of at most `limit` bytes. Small ones go together, large ones are cut, none is copied. */
export function* split(chunks: readonly Buffer[], limit: number): Generator<Buffer[], void, undefined> {
  let message: Buffer[] = [];
  let size = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + limit - size);
      message.push(piece);
      at += piece.length;
      size += piece.length;
      if (size === limit) {
        yield message;
        message = [];
        size = 0;
      }
    }
  }
  if (size > 0) yield message;
}
