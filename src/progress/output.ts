import { holdStream } from "../core/index.js";
import type { ProgressStream } from "./options.js";
import { type LogReader, WorkflowGuard } from "./workflow-guard.js";

/** More than this waiting in the stream, and {@link Output.ready} asks to wait (FLT-39). */
const highWater = 8 << 20;
/** More than this waiting, which only those reach who do not wait, and text is left out. */
const hardLimit = 32 << 20;

/** Pieces are put together up to this many bytes. */
const largestBatch = 256 << 10;
const lineFeed = 0x0a;

/**
 * Writes to the progress stream without ever blocking or throwing: a stream that fails (EPIPE, FLT-38) just ends the
 * printing, one that is slow holds a bounded amount.
 */
export class Output {
  readonly #stream: ProgressStream;
  readonly #onError = () => {
    this.#failed = true;
    this.#settle();
  };
  #failed = false;
  #closed = false;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #waiting = 0;
  #dropped = 0;
  #idle: (() => void)[] = [];
  #atLineStart = true;
  readonly #guard: WorkflowGuard | undefined;

  /** `reader`: whose log the stream goes to, so that no text from outside becomes a command there (SEC-33). */
  constructor(stream: ProgressStream, { reader }: { reader?: LogReader | undefined } = {}) {
    this.#stream = stream;
    this.#guard = reader && new WorkflowGuard(reader);
    holdStream(stream);
  }

  /** Nothing that is written goes anywhere any more. */
  get dead(): boolean {
    return this.#failed || this.#closed || this.#stream.destroyed || this.#stream.writableEnded;
  }

  /** The stream has not yet taken what it was given before. */
  get busy(): boolean {
    return this.#waiting > 0 && this.#stream.writableNeedDrain;
  }

  /** The last byte written was a newline, or there was none. */
  get atLineStart(): boolean {
    return this.#atLineStart;
  }

  /** Takes text; it is on its way with the next {@link flush}, or before when it is much. */
  write(chunk: string | Uint8Array): void {
    if (this.dead || chunk.length === 0) return;
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    this.#take(this.#guard?.push(bytes) ?? bytes);
  }

  /** Takes a line that is a command to the log's reader, made by us. Its newline, if it has none, comes with what follows. */
  command(line: string): void {
    if (this.dead) return;
    if (!this.#atLineStart) this.write("\n");
    this.#take(Buffer.from(line));
  }

  #take(bytes: Uint8Array): void {
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    this.#atLineStart = bytes[bytes.length - 1] === lineFeed;
    if (this.#batchBytes > largestBatch) this.flush();
  }

  /** Hands all that was written to the stream, as one piece. */
  flush(): void {
    if (this.#batch.length === 0) return;
    const bytes = Buffer.concat(this.#batch, this.#batchBytes);
    this.#batch = [];
    this.#batchBytes = 0;
    if (this.dead) return;
    if (this.#waiting + bytes.length > hardLimit) {
      this.#dropped += bytes.length;
      return;
    }
    if (this.#dropped > 0 && this.#waiting < highWater) {
      // What follows may be the rest of a line and stays on this one, so that it begins none (SEC-33).
      const note = `\n[${this.#dropped} bytes of progress left out: the output is too slow] `;
      this.#dropped = 0;
      this.#send(Buffer.from(note));
    }
    this.#send(bytes);
  }

  /** Undefined while little is waiting, else resolves when everything has been taken or the stream failed. */
  ready(): Promise<void> | undefined {
    return this.#waiting > highWater ? this.#drained() : undefined;
  }

  /** Resolves when the stream has taken everything, and lets go of it. The stream stays open: it is the caller's. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    await this.#drained();
    this.#closed = true;
  }

  #send(bytes: Uint8Array): void {
    this.#waiting += bytes.length;
    this.#stream.write(bytes, (error) => {
      this.#waiting -= bytes.length;
      if (error) this.#failed = true;
      if (this.#waiting === 0 || error) this.#settle();
    });
  }

  #drained(): Promise<void> {
    if (this.#waiting === 0 || this.dead) return Promise.resolve();
    // Not from the start: any number of displays may show on one stream.
    if (this.#idle.length === 0) this.#stream.on("error", this.#onError).on("close", this.#onError);
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #settle(): void {
    const idle = this.#idle;
    this.#stream.off("error", this.#onError).off("close", this.#onError);
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
