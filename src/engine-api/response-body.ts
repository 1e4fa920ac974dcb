import { Readable } from "node:stream";
import type { AnswerControl } from "./http1/index.js";

/** The connection is paused when so many bytes wait, and goes on when so few are left. */
const pauseAt = 512 * 1024;
const resumeAt = 64 * 1024;
/** Smaller pieces are handed on together up to this many bytes. */
const joinedLength = 64 * 1024;

/**
 * An answer's body as a stream, with back-pressure. The two limits are more than one read of the socket apart. When it is
 * paused, undici puts what it has not parsed yet back in front of the socket's buffer; each time it resumes, it takes all
 * of that out again, with what has arrived since. Done for every piece, that buffer would grow without end, and the work
 * with its square.
 */
export class ResponseBody extends Readable {
  readonly #controller: AnswerControl;
  /** What came before it was asked for, from {@link #first} on. */
  #waiting: Buffer[] = [];
  #first = 0;
  #bytes = 0;
  #wanted = false;
  #paused = false;
  #complete = false;

  constructor(controller: AnswerControl, onClose: () => void) {
    super({ highWaterMark: joinedLength });
    this.#controller = controller;
    this.once("close", onClose);
  }

  /** Takes the next bytes of the body. */
  accept(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#wanted) {
      this.#wanted = false;
      this.push(chunk);
      return;
    }
    this.#waiting.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < pauseAt || this.#paused) return;
    this.#paused = true;
    this.#controller.pause();
  }

  /** There is no more. */
  complete(): void {
    this.#complete = true;
    if (this.#wanted) this.push(null);
  }

  override _read(): void {
    if (this.#bytes > 0) this.push(this.#take());
    else if (this.#complete) this.push(null);
    else this.#wanted = true;
    if (!this.#paused || this.#bytes > resumeAt) return;
    this.#paused = false;
    this.#controller.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#waiting = [];
    if (!this.#complete) this.#controller.abort(error ?? new Error("the answer was not wanted"));
    done(error);
  }

  #take(): Buffer {
    const from = this.#first;
    let length = 0;
    do length += this.#waiting[this.#first++]?.length ?? 0;
    while (
      this.#first < this.#waiting.length &&
      length + (this.#waiting[this.#first]?.length ?? 0) <= joinedLength
    );
    const pieces = this.#waiting.slice(from, this.#first);
    this.#bytes -= length;
    // What was taken is released even if the rest is never read: a slow reader may always find something waiting.
    if (this.#first * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, length);
  }
}
