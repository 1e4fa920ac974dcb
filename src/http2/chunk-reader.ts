import type { Readable } from "node:stream";

/** Reading stops when this many bytes wait to be consumed. */
const pauseAt = 256 * 1024;

/** What a {@link ChunkReader} stops and starts. */
export interface ChunkSource {
  pause(): unknown;
  resume(): unknown;
}

/**
 * Gathers chunks as they are pushed, for a consumer that takes them one turn at a time: no chunk is copied. When the
 * consumer is behind, the source is paused, which stops the window updates of an HTTP/2 stream, and with them the peer.
 */
export class ChunkReader {
  readonly #source: ChunkSource;
  #chunks: Buffer[] = [];
  #queued = 0;
  #done = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(source: ChunkSource) {
    this.#source = source;
  }

  /** A chunk has come. */
  push(chunk: Buffer): void {
    if (this.#done) return;
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued >= pauseAt) this.#source.pause();
    this.#wake?.();
  }

  /** Nothing more comes; the first error counts. */
  settle(error?: Error): void {
    this.#done = true;
    this.#error ??= error;
    this.#wake?.();
  }

  /** All chunks that have come since the last call, waiting for at least one; undefined at the end. */
  async next(): Promise<Buffer[] | undefined> {
    if (this.#chunks.length === 0 && !this.#done) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
    // What came before a cancellation is no use to anyone; what came before the end is.
    if (this.#error) throw this.#error;
    if (this.#chunks.length === 0) return undefined;
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#queued = 0;
    if (!this.#done) this.#source.resume();
    return chunks;
  }

  /** Ends the reading: what waits and what still comes is dropped. */
  discard(): void {
    this.#done = true;
    this.#chunks = [];
    this.#source.resume();
  }
}

/**
 * Reads a stream by 'data' events, chunk by chunk as they came: `read()` of a paused stream would copy what has gathered
 * into one buffer. `signal` ends the reading with its reason.
 */
export function readChunks(stream: Readable, signal: AbortSignal): ChunkReader {
  const reader = new ChunkReader(stream);
  const onAbort = () => reader.settle(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  if (stream.readableEnded) reader.settle();
  stream.once("end", () => reader.settle());
  stream.once("close", () => reader.settle());
  stream.on("data", (chunk: Buffer) => reader.push(chunk));
  return reader;
}
