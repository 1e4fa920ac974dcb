import type { ClientHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { frameHead } from "../http2/index.js";
import { AnswerBytes, type AnswerBytesOptions } from "./answer-bytes.js";

/** Largest payload of one message. buildkitd takes 16 MiB; its own Go client sends what one write has. */
const messageBytes = 1024 * 1024;

/** How much may be on its way in the HTTP/2 stream before a write waits for it: keeps the pipe busy, and bounds it. */
const inFlightBytes = 1024 * 1024;

type Callback = (error?: Error | null) => void;

/**
 * Control.Session as a byte pipe: what is written goes out as BytesMessages, what BytesMessages bring is read. Where
 * messages begin and end means nothing. Ending it half-closes the call, as Go's CloseSend does; it ends when the daemon
 * ends the call. A status other than OK, a reset or a lost connection destroys it with the error.
 *
 * A write is acknowledged while there is room in the HTTP/2 stream, before its bytes are out. A caller that reuses its
 * buffers must not write to it directly; node:http2 copies when it writes to a Duplex.
 */
export class SessionPipe extends Duplex {
  readonly #stream: ClientHttp2Stream;
  readonly #answers: AnswerBytes;
  #inFlight = 0;
  #waiting: (() => void) | undefined;

  constructor(
    stream: ClientHttp2Stream,
    { signal, explain }: Pick<AnswerBytesOptions, "signal" | "explain">,
  ) {
    super({ readableHighWaterMark: messageBytes, writableHighWaterMark: inFlightBytes });
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

  override _read(): void {
    this.#answers.resume();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#answers.release();
    callback(error);
  }

  #send(chunks: Buffer[], callback: Callback): void {
    if (this.#stream.closed || this.#stream.writableEnded) {
      // "close" brings the reason; writes are dropped until then, as a socket's are.
      callback();
      return;
    }
    this.#stream.cork();
    for (const message of split(chunks, messageBytes)) {
      const size = message.reduce((sum, chunk) => sum + chunk.length, 0);
      this.#stream.write(frameHead(size));
      this.#inFlight += size;
      for (const [index, chunk] of message.entries()) {
        this.#stream.write(chunk, index === message.length - 1 ? () => this.#sent(size) : undefined);
      }
    }
    this.#stream.uncork();
    if (this.#inFlight < inFlightBytes) callback();
    else this.#waiting = callback;
  }

  #sent(size: number): void {
    this.#inFlight -= size;
    if (this.#inFlight >= inFlightBytes) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
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
