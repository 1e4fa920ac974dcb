import { types } from "node:util";
import { allowListeners } from "../core/index.js";
import { ChunkReader } from "./chunk-reader.js";
import { GrpcError, grpcCodes, type GrpcStatus } from "./grpc-error.js";
import { BytesFieldDecoder, MessageDecoder } from "./message-decoder.js";
import type { MessageOptions, ServerCall } from "./server-call.js";
import { type HeaderList, type StreamHandler, type WireStream, errorCodes } from "./wire/index.js";

/**
 * `write` asks to wait above this many bytes that are not out yet, and `drained` waits for half of it: with writes of
 * up to 1 MiB one is always under way while the next is being read.
 */
const highWater = 2 * 1024 * 1024;
const contentType = [":status", "200", "content-type", "application/grpc+proto"];
const maxMessageLength = 8 * 1024;
const maxDetailsLength = 24 * 1024;

/** A {@link ServerCall} on a stream of a connection. */
export class StreamCall implements ServerCall, StreamHandler {
  readonly path: string;
  readonly #stream: WireStream;
  readonly #headers = new Map<string, string[]>();
  readonly #connectionFailure: () => Error | undefined;
  #controller: AbortController | undefined;
  #failure: Error | undefined;
  #headersSent = false;
  #ended = false;
  #requestEnded = false;
  #reader: ChunkReader | undefined;
  #pending = 0;
  #drain: { resolve: () => void; reject: (reason: Error) => void }[] = [];

  /** Becomes the stream's handler. `connectionFailure` tells why the connection ended, if it did. */
  constructor(stream: WireStream, list: readonly string[], connectionFailure: () => Error | undefined) {
    this.#stream = stream;
    this.#connectionFailure = connectionFailure;
    for (let index = 0; index + 1 < list.length; index += 2) {
      const name = list[index] as string;
      const value = list[index + 1] as string;
      const values = this.#headers.get(name);
      if (values) values.push(value);
      else this.#headers.set(name, [value]);
    }
    this.path = this.header(":path") ?? "";
    // Until somebody reads.
    stream.pause();
    stream.handler = this;
  }

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
    if (this.#reader) throw new Error(`the messages of ${this.path} are being read already`);
    const reader = (this.#reader = new ChunkReader(this.#stream));
    if (this.#requestEnded || this.#failure) reader.settle(this.#failure);
    this.#stream.resume();
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
    this.#sendHeaders();
    const list = (types.isUint8Array(chunks) ? [chunks] : chunks).map(bufferOf);
    const length = list.reduce((sum, bytes) => sum + bytes.length, 0);
    this.#pending += length;
    this.#stream.write(list, () => this.#written(length));
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
    const trailers = trailersOf(status);
    if (this.#headersSent) this.#stream.end(trailers);
    else this.#stream.sendHeaders([...contentType, ...trailers], true);
    // What the peer still sends is of no interest; unread it would keep the stream open.
    if (!this.#reader) this.#stream.resume();
  }

  reset(): void {
    this.#ended = true;
    this.#stream.reset(errorCodes.CANCEL);
  }

  onLocalEnd(): void {
    // Who ended the call waits for nothing.
  }

  onHeaders(): void {
    // Of answers only.
  }

  onTrailers(): void {
    // gRPC has none in this direction.
  }

  onData(bytes: Buffer): void {
    this.#reader?.push(bytes);
  }

  onEnd(): void {
    this.#requestEnded = true;
    this.#reader?.settle();
  }

  onClose(code: number): void {
    // A call that ended as it should closes its stream with NO_ERROR; to its handler that is no failure.
    if (this.#failure || (this.#ended && code === errorCodes.NO_ERROR)) return;
    this.#failure =
      this.#connectionFailure() ??
      new GrpcError(grpcCodes.cancelled, `the builder cancelled ${this.path}`, {}, "GRPC_CANCELLED");
    this.#reader?.settle(this.#failure);
    this.#controller?.abort(this.#failure);
    for (const { reject } of this.#drain.splice(0)) reject(this.#failure);
  }

  #sendHeaders(): void {
    if (this.#headersSent) return;
    this.#headersSent = true;
    this.#stream.sendHeaders(contentType);
  }

  #written(length: number): void {
    this.#pending -= length;
    if (this.#pending > highWater / 2 || this.#drain.length === 0) return;
    for (const { resolve } of this.#drain.splice(0)) resolve();
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function trailersOf(status: GrpcStatus): HeaderList {
  const trailers = ["grpc-status", String(status.code)];
  if (status.message) trailers.push("grpc-message", percentEncode(status.message));
  if (status.details && status.details.length <= maxDetailsLength) {
    const details = Buffer.from(status.details).toString("base64");
    trailers.push("grpc-status-details-bin", details.replace(/={1,2}$/, ""));
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
