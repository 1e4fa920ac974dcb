import type { Readable } from "node:stream";

/** Reading stops when this many bytes wait to be consumed. */
const pauseAt = 256 * 1024;

/**
 * Reads a stream by 'data' events, chunk by chunk as they came: `read()` of a paused stream would copy what has
 * gathered into one buffer. When the consumer is behind, the stream is paused, which stops the window updates of an
 * HTTP/2 stream, and with them the peer.
 */
export class ChunkReader {
  readonly #stream: Readable;
  #chunks: Buffer[] = [];
  #queued = 0;
  #done = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /** `signal` ends the reading with its reason. */
  constructor(stream: Readable, signal: AbortSignal) {
    this.#stream = stream;
    const settle = (error?: Error) => {
      this.#done = true;
      this.#error ??= error;
      this.#wake?.();
    };
    if (signal.aborted) settle(signal.reason as Error);
    else signal.addEventListener("abort", () => settle(signal.reason as Error), { once: true });
    if (stream.readableEnded) settle();
    stream.once("end", () => settle());
    stream.once("close", () => settle());
    stream.on("data", (chunk: Buffer) => {
      if (this.#done) return;
      this.#chunks.push(chunk);
      this.#queued += chunk.length;
      if (this.#queued >= pauseAt) stream.pause();
      this.#wake?.();
    });
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
    if (!this.#done) this.#stream.resume();
    return chunks;
  }

  /** Ends the reading: what waits and what still comes is dropped. */
  discard(): void {
    this.#done = true;
    this.#chunks = [];
    this.#stream.resume();
  }
}
