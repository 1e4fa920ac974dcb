import { Readable } from "node:stream";
import type { AnswerControl } from "./http1/index.js";

/** So many bytes wait for a reader before the connection is paused. */
const waitingBytes = 512 * 1024;

/** An answer's body as a stream, with back-pressure to the connection. */
export class ResponseBody extends Readable {
  readonly #control: AnswerControl;
  #complete = false;

  constructor(control: AnswerControl, onClose: () => void) {
    super({ highWaterMark: waitingBytes });
    this.#control = control;
    this.once("close", onClose);
  }

  /** Takes the next bytes of the body. */
  accept(chunk: Buffer): void {
    if (!this.push(chunk)) this.#control.pause();
  }

  /** There is no more. */
  complete(): void {
    this.#complete = true;
    this.push(null);
  }

  override _read(): void {
    this.#control.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#complete) this.#control.abort(error ?? new Error("the answer was not wanted"));
    done(error);
  }
}
