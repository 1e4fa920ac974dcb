import type { Readable } from "node:stream";
import { abortError, messageOf } from "../core/index.js";
import { BytesFieldDecoder, type ClientStream, type HeaderFields, errorCodes } from "../http2/index.js";
import { protocolError, statusError } from "./buildkit-error.js";

/** How {@link AnswerBytes} reads a call. */
export interface AnswerBytesOptions {
  /** The field of the answers that holds the bytes; default 1. */
  field?: number;
  signal?: AbortSignal | undefined;
  /** Why the stream closed without a status; gets the HTTP/2 error code. */
  explain: (reset: number) => Error;
}

/**
 * Feeds a stream with the bytes of one field of a call's answers, with back-pressure. The stream ends when the call ends well. A
 * status other than OK, a reset, a lost connection, answers that make no sense or an abort destroy it with the error.
 */
export class AnswerBytes {
  readonly #target: Readable;
  readonly #stream: ClientStream;
  readonly #decoder: BytesFieldDecoder;
  #trailers: HeaderFields = {};
  /** The call ended with a status, and that was passed on. */
  #ended = false;
  /** The call has failed with it. */
  #late: Error | undefined;
  #detach: (() => void) | undefined;

  constructor(target: Readable, stream: ClientStream, { field = 1, signal, explain }: AnswerBytesOptions) {
    this.#target = target;
    this.#stream = stream;
    this.#decoder = new BytesFieldDecoder({ field });
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    // A call that fails at once has its status in the headers (trailers-only).
    stream.on("response", (headers: HeaderFields) => (this.#trailers = headers));
    stream.on("trailers", (trailers: HeaderFields) => (this.#trailers = trailers));
    stream.on("end", () => this.#onEnd());
    // The reset code and the connection's own story say more than this error, and "close" always follows.
    stream.on("error", () => {});
    stream.on("close", () => {
      if (this.#ended || target.destroyed) return;
      target.destroy(explain(stream.rstCode ?? errorCodes.NO_ERROR));
    });
    if (signal) this.#abortWith(signal);
  }

  /** To be called by the stream's `_read`. */
  resume(): void {
    this.#stream.resume();
  }

  /** To be called when something was read. What was sent before the call failed is read before that is told. */
  afterRead(): void {
    const late = this.#late;
    if (!late || this.#target.readableLength > 0) return;
    this.#late = undefined;
    process.nextTick(() => this.#target.destroy(late));
  }

  /** To be called by the stream's `_destroy`. */
  release(): void {
    this.#detach?.();
    this.#stream.close(errorCodes.CANCEL);
  }

  #receive(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk, (payload) => {
        if (!this.#target.push(payload)) this.#stream.pause();
      });
    } catch (error) {
      this.#target.destroy(protocolError(messageOf(error)));
    }
  }

  /** Everything was read. Trailers come ahead of data that waits to be read, so they are looked at only now. */
  #onEnd(): void {
    const code = this.#trailers["grpc-status"];
    // A reset ends the reading too; "close" knows why.
    if (code === undefined) return;
    this.#ended = true;
    const error = statusError({
      code,
      message: this.#trailers["grpc-message"],
      details: this.#trailers["grpc-status-details-bin"],
    });
    if (error) {
      this.#late = error;
      this.afterRead();
      return;
    }
    try {
      this.#decoder.end();
      this.#target.push(null);
    } catch (failure) {
      this.#target.destroy(protocolError(messageOf(failure)));
    }
  }

  #abortWith(signal: AbortSignal): void {
    const onAbort = () => this.#target.destroy(abortError(signal));
    this.#detach = () => signal.removeEventListener("abort", onAbort);
    if (signal.aborted) queueMicrotask(onAbort);
    else signal.addEventListener("abort", onAbort, { once: true });
  }
}
