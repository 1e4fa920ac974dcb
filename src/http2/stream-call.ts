import { constants, type ServerHttp2Stream } from "node:http2";
import { types } from "node:util";
import { allowListeners } from "../core/index.js";
import { ChunkReader } from "./chunk-reader.js";
import { GrpcError, grpcCodes, type GrpcStatus } from "./grpc-error.js";
import { BytesFieldDecoder, MessageDecoder } from "./message-decoder.js";
import type { MessageOptions, ServerCall } from "./server-call.js";

/**
 * `write` asks to wait above this many bytes that are not out yet, and `drained` waits for half of it: with writes of
 * up to 1 MiB one is always under way while the next is being read.
 */
const highWater = 2 * 1024 * 1024;
const contentType = { ":status": 200, "content-type": "application/grpc+proto" };
// Both are headers, which node refuses to send above 64 KiB in all.
const maxMessageLength = 8 * 1024;
const maxDetailsLength = 24 * 1024;

/** A {@link ServerCall} on a stream of node:http2. */
export class StreamCall implements ServerCall {
  readonly path: string;
  readonly #stream: ServerHttp2Stream;
  readonly #headers = new Map<string, string[]>();
  readonly #connectionFailure: () => Error | undefined;
  #controller: AbortController | undefined;
  #failure: Error | undefined;
  #ended = false;
  #reading = false;
  #pending = 0;
  #drain: { resolve: () => void; reject: (reason: Error) => void }[] = [];

  /** `connectionFailure` tells why the connection ended, if it did. */
  constructor(
    stream: ServerHttp2Stream,
    rawHeaders: readonly string[],
    connectionFailure: () => Error | undefined,
  ) {
    this.#stream = stream;
    this.#connectionFailure = connectionFailure;
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] as string;
      const value = rawHeaders[index + 1] as string;
      const values = this.#headers.get(name);
      if (values) values.push(value);
      else this.#headers.set(name, [value]);
    }
    this.path = this.header(":path") ?? "";
    stream.on("aborted", () => this.#fail());
    stream.once("close", () => this.#fail());
    stream.on("error", () => this.#fail());
    stream.on("wantTrailers", () => stream.sendTrailers(this.#trailers));
  }

  #trailers: Record<string, string> = {};

  header(name: string): string | undefined {
    return this.#headers.get(name)?.[0];
  }

  headerValues(name: string): string[] {
    return this.#headers.get(name) ?? [];
  }

  headerNames(): Iterable<string> {
    return this.#headers.keys();
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      // A handler may hang any number of calls on it; Node would print a warning on its own.
      allowListeners(this.#controller.signal);
      if (this.#failure) this.#controller.abort(this.#failure);
    }
    return this.#controller.signal;
  }

  messages(options: MessageOptions = {}): AsyncIterable<Buffer> {
    return this.#decode(new MessageDecoder(options));
  }

  bytesField(): AsyncIterable<Buffer> {
    return this.#decode(new BytesFieldDecoder());
  }

  async *#decode(decoder: MessageDecoder | BytesFieldDecoder): AsyncGenerator<Buffer> {
    if (this.#reading) throw new Error(`the messages of ${this.path} are being read already`);
    this.#reading = true;
    const reader = new ChunkReader(this.#stream, this.signal);
    const ready: Buffer[] = [];
    const emit = (bytes: Buffer) => void ready.push(bytes);
    try {
      for (let chunks = await reader.next(); chunks; chunks = await reader.next()) {
        for (const chunk of chunks) {
          decoder.push(chunk, emit);
          for (const bytes of ready) yield bytes;
          ready.length = 0;
        }
      }
      decoder.end();
    } finally {
      reader.discard();
    }
  }

  write(chunks: Uint8Array | readonly Uint8Array[]): boolean {
    if (this.#ended || this.#failure) return true;
    const stream = this.#stream;
    if (!stream.headersSent) stream.respond(contentType, { waitForTrailers: true });
    const list = types.isUint8Array(chunks) ? [chunks] : chunks;
    const last = list.at(-1);
    if (last) {
      let length = 0;
      stream.cork();
      for (const chunk of list) {
        length += chunk.length;
        if (chunk !== last) stream.write(chunk);
      }
      stream.write(last, () => this.#written(length));
      stream.uncork();
      this.#pending += length;
    }
    return this.#pending < highWater;
  }

  drained(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#pending <= highWater / 2) return Promise.resolve();
    return new Promise((resolve, reject) => this.#drain.push({ resolve, reject }));
  }

  end(status: GrpcStatus = { code: grpcCodes.ok }): void {
    if (this.#ended || this.#failure) return;
    this.#ended = true;
    this.#trailers = trailersOf(status);
    const stream = this.#stream;
    if (!stream.headersSent) stream.respond({ ...contentType, ...this.#trailers }, { endStream: true });
    else stream.end();
    // What the peer still sends is of no interest; unread it would keep the stream open.
    if (!this.#reading) stream.resume();
  }

  reset(): void {
    this.#ended = true;
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #written(length: number): void {
    this.#pending -= length;
    if (this.#pending > highWater / 2 || this.#drain.length === 0) return;
    for (const { resolve } of this.#drain.splice(0)) resolve();
  }

  #fail(): void {
    if (this.#failure) return;
    // A call that ended as it should closes its stream with NO_ERROR; to its handler that is no failure.
    if (this.#ended && this.#stream.rstCode === constants.NGHTTP2_NO_ERROR) return;
    this.#failure =
      this.#connectionFailure() ??
      new GrpcError(grpcCodes.cancelled, `the builder cancelled ${this.path}`, {}, "GRPC_CANCELLED");
    this.#controller?.abort(this.#failure);
    for (const { reject } of this.#drain.splice(0)) reject(this.#failure);
  }
}

function trailersOf(status: GrpcStatus): Record<string, string> {
  const trailers: Record<string, string> = { "grpc-status": String(status.code) };
  if (status.message) trailers["grpc-message"] = percentEncode(status.message);
  if (status.details && status.details.length <= maxDetailsLength) {
    trailers["grpc-status-details-bin"] = Buffer.from(status.details)
      .toString("base64")
      .replace(/={1,2}$/, "");
  }
  return trailers;
}

/** gRPC over HTTP/2, Percent-Encoded: everything but printable ASCII, and `%` itself; cut at 8 KiB. */
function percentEncode(text: string): string {
  let encoded = "";
  for (const byte of Buffer.from(text)) {
    if (encoded.length >= maxMessageLength) break;
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
