import { Duplex } from "node:stream";
import { HeaderCoalescer } from "./header-coalescer.js";

type Callback = (error?: Error | null) => void;

/**
 * A duplex whose received bytes went through a {@link HeaderCoalescer}, to be given to node:http2 in place of `inner`.
 * Back-pressure passes both ways. Being destroyed it half-closes `inner`, drops what still comes, and leaves closing
 * it to its owner.
 */
export class CoalescedStream extends Duplex {
  /** Bytes received so far. */
  bytesReceived = 0;
  readonly #inner: Duplex;

  constructor(inner: Duplex, options: { preface: boolean; limit?: number }) {
    // Reading ahead is bounded by the windows of HTTP/2 already.
    super({ allowHalfOpen: true, autoDestroy: true, readableHighWaterMark: 256 * 1024 });
    this.#inner = inner;
    const coalescer = new HeaderCoalescer(options);
    let full = false;
    const emit = (bytes: Buffer) => {
      if (!this.push(bytes)) full = true;
    };
    inner.on("data", (chunk: Buffer) => {
      this.bytesReceived += chunk.length;
      if (this.destroyed) return;
      full = false;
      try {
        coalescer.push(chunk, emit);
      } catch (error) {
        this.destroy(error as Error);
        return;
      }
      if (full) inner.pause();
    });
    inner.pause();
    inner.once("end", () => {
      if (!this.destroyed) this.push(null);
    });
    inner.on("error", (error) => this.destroy(error));
    inner.once("close", () => this.destroy());
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#inner.write(chunk, callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    const inner = this.#inner;
    const last = chunks.length - 1;
    inner.cork();
    for (let index = 0; index < last; index++) inner.write(chunks[index]?.chunk);
    inner.write(chunks[last]?.chunk, callback);
    inner.uncork();
  }

  override _final(callback: Callback): void {
    this.#inner.end(callback);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    if (!this.#inner.writableEnded) this.#inner.end();
    this.#inner.resume();
    callback(error);
  }
}
