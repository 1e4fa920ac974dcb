import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { Duplex } from "node:stream";
import { abortError, messageOf } from "../core/index.js";
import { BytesFieldDecoder, frameHead } from "../http2/index.js";
import { protocolError, statusError } from "./buildkit-error.js";

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
  readonly #explain: (reset: number) => Promise<Error>;
  readonly #decoder = new BytesFieldDecoder();
  #trailers: IncomingHttpHeaders = {};
  /** The call ended with a status, and that was passed on. */
  #ended = false;
  #inFlight = 0;
  #waiting: (() => void) | undefined;
  #detach: (() => void) | undefined;

  /** @param explain why the stream closed without a status; it gets the HTTP/2 error code. */
  constructor(
    stream: ClientHttp2Stream,
    { signal, explain }: { signal?: AbortSignal | undefined; explain: (reset: number) => Promise<Error> },
  ) {
    super({ readableHighWaterMark: messageBytes, writableHighWaterMark: inFlightBytes });
    this.#stream = stream;
    this.#explain = explain;
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    // A call that fails at once has its status in the headers (trailers-only).
    stream.on("response", (headers) => (this.#trailers = headers));
    stream.on("trailers", (trailers) => (this.#trailers = trailers));
    stream.on("end", () => this.#onEnd());
    // The reset code and the connection's own story say more than this error, and "close" always follows.
    stream.on("error", () => {});
    stream.on("close", () => void this.#onClose());
    this.#abortWith(signal);
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
    this.#stream.resume();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#detach?.();
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.resume();
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

  #receive(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk, (payload) => {
        if (!this.push(payload)) this.#stream.pause();
      });
    } catch (error) {
      this.destroy(protocolError(messageOf(error)));
    }
  }

  /** Everything was read. Trailers come ahead of data that waits to be read, so they are looked at only now. */
  #onEnd(): void {
    const trailers = this.#trailers;
    const code = first(trailers["grpc-status"]);
    // A reset ends the reading too; "close" knows why.
    if (code === undefined) return;
    this.#ended = true;
    const error = statusError({
      code,
      message: first(trailers["grpc-message"]),
      details: first(trailers["grpc-status-details-bin"]),
    });
    try {
      if (error) throw error;
      this.#decoder.end();
      this.push(null);
    } catch (failure) {
      this.destroy(failure === error ? error : protocolError(messageOf(failure)));
    }
  }

  async #onClose(): Promise<void> {
    if (this.#ended) return;
    const error = await this.#explain(this.#stream.rstCode ?? constants.NGHTTP2_NO_ERROR);
    this.destroy(error);
  }

  #abortWith(signal: AbortSignal | undefined): void {
    if (!signal) return;
    const onAbort = () => this.destroy(abortError(signal));
    this.#detach = () => signal.removeEventListener("abort", onAbort);
    if (signal.aborted) queueMicrotask(onAbort);
    else signal.addEventListener("abort", onAbort, { once: true });
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

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
