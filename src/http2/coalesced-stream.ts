import { Duplex } from "node:stream";
import { HeaderCoalescer } from "./header-coalescer.js";
import { Http2Error } from "./http2-error.js";

const checkMilliseconds = 1000;

type Callback = (error?: Error | null) => void;

/**
 * A duplex whose received bytes went through a {@link HeaderCoalescer}, to be given to node:http2 in place of `inner`,
 * and to nothing else. Being destroyed it half-closes `inner`, drops what still comes, and leaves closing it to its owner.
 *
 * Both directions go straight through, by overriding more than a Duplex is meant to be: two more queues of buffers would
 * add a third to the processor time of a transfer (measured). node:http2 reads through 'data', `pause` and `resume`, and
 * writes through `cork`, `write` and `uncork` (its JSStreamSocket).
 */
export class CoalescedStream extends Duplex {
  /** Bytes received so far. */
  bytesReceived = 0;
  readonly #inner: Duplex;
  readonly #timer: NodeJS.Timeout;
  #paused = false;
  #writing = false;
  /** It was paused at the last check, and without a reason. */
  #idle = false;

  constructor(inner: Duplex, options: { preface: boolean; limit?: number }) {
    super();
    this.#inner = inner;
    const coalescer = new HeaderCoalescer(options);
    const emit = (bytes: Buffer) => void this.emit("data", bytes);
    inner.on("data", (chunk: Buffer) => {
      if (this.#writing) return this.#putBack(chunk);
      this.bytesReceived += chunk.length;
      if (this.destroyed) return;
      try {
        coalescer.push(chunk, emit);
      } catch (error) {
        this.destroy(error as Error);
      }
    });
    inner.pause();
    // Nothing can come of a connection whose peer has nothing more to say.
    inner.once("end", () => this.destroy());
    inner.on("error", (error) => this.destroy(error));
    inner.once("close", () => this.destroy());
    this.#timer = setInterval(() => this.#check(), checkMilliseconds);
    this.#timer.unref();
  }

  override pause(): this {
    this.#paused = true;
    // Undone at the end, when what still comes is dropped.
    if (!this.destroyed) this.#inner.pause();
    return this;
  }

  override resume(): this {
    this.#paused = false;
    this.#idle = false;
    this.#inner.resume();
    return this;
  }

  override write(chunk: Buffer, ...rest: unknown[]): boolean {
    return this.#while(() => this.#inner.write(chunk, ...(rest as [Callback])));
  }

  override cork(): void {
    this.#inner.cork();
  }

  override uncork(): void {
    this.#while(() => this.#inner.uncork());
  }

  override _read(): void {}

  override _final(callback: Callback): void {
    this.#inner.end(callback);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    clearInterval(this.#timer);
    if (!this.#inner.writableEnded) this.#inner.end();
    this.#inner.resume();
    callback(error);
  }

  #while<Result>(write: () => Result): Result {
    this.#writing = true;
    try {
      return write();
    } finally {
      this.#writing = false;
    }
  }

  /**
   * A peer in this process may answer before the write returns. Given to node:http2 at that moment, the answer would
   * abort the process.
   */
  #putBack(chunk: Buffer): void {
    this.#inner.pause();
    this.#inner.unshift(chunk);
    setImmediate(() => {
      if (!this.#paused) this.#inner.resume();
    });
  }

  /**
   * node:http2 stops reading while it writes, and for good when nghttp2 has ended the session by itself, e.g. because
   * headers could not be decompressed. It tells nobody of that, and would not see the end of the stream any more.
   */
  #check(): void {
    const idle = this.#paused && this.#inner.writableLength === 0;
    if (idle && this.#idle)
      this.destroy(new Http2Error("HTTP2_PROTOCOL", "the peer broke the rules of HTTP/2"));
    this.#idle = idle;
  }
}
