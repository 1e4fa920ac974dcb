import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { Readable } from "node:stream";
import { abortError, messageOf } from "../core/index.js";
import { BytesFieldDecoder } from "../http2/index.js";
import { protocolError, statusError } from "./buildkit-error.js";

/** Field of `ReadContentResponse` that holds the bytes (containerd content.proto). */
const dataField = 2;

/** Bytes that wait to be read before the daemon is stopped. */
const highWaterMark = 1024 * 1024;

/** The answers of Content.Read as one stream of bytes, with back-pressure. A failed call destroys it with the daemon's error. */
export class BlobStream extends Readable {
  readonly #stream: ClientHttp2Stream;
  readonly #decoder = new BytesFieldDecoder({ field: dataField });
  #trailers: IncomingHttpHeaders = {};
  #ended = false;
  #detach: (() => void) | undefined;

  /** @param explain why the stream closed without a status; it gets the HTTP/2 error code. */
  constructor(
    stream: ClientHttp2Stream,
    request: Buffer,
    { signal, explain }: { signal?: AbortSignal | undefined; explain: (reset: number) => Promise<Error> },
  ) {
    super({ highWaterMark });
    this.#stream = stream;
    stream.on("response", (headers) => (this.#trailers = headers));
    stream.on("trailers", (trailers) => (this.#trailers = trailers));
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    stream.on("end", () => this.#onEnd());
    // "close" always follows, and what it finds out says more.
    stream.on("error", () => {});
    stream.on("close", () => {
      if (this.#ended || this.destroyed) return;
      void explain(stream.rstCode ?? constants.NGHTTP2_NO_ERROR).then((error) => this.destroy(error));
    });
    stream.end(request);
    if (signal) {
      const onAbort = () => this.destroy(abortError(signal));
      this.#detach = () => signal.removeEventListener("abort", onAbort);
      if (signal.aborted) queueMicrotask(onAbort);
      else signal.addEventListener("abort", onAbort, { once: true });
    }
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#detach?.();
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.resume();
    callback(error);
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

  #onEnd(): void {
    const code = headerOf(this.#trailers, "grpc-status");
    // A reset ends the reading too; "close" knows why.
    if (code === undefined) return;
    this.#ended = true;
    const error = statusError({
      code,
      message: headerOf(this.#trailers, "grpc-message"),
      details: headerOf(this.#trailers, "grpc-status-details-bin"),
    });
    if (error) {
      this.destroy(error);
      return;
    }
    try {
      this.#decoder.end();
      this.push(null);
    } catch (failure) {
      this.destroy(protocolError(messageOf(failure)));
    }
  }
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
