import { untilAborted } from "../core/index.js";

/** Lets so many things run at the same time, the others in the order in which they came. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** Does the work when it is its turn; the signal ends the wait for it. */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    let begin = () => {};
    const turn = new Promise<void>((resolve) => this.#waiting.push((begin = resolve)));
    try {
      await untilAborted(signal, turn);
    } catch (error) {
      const at = this.#waiting.indexOf(begin);
      if (at >= 0) this.#waiting.splice(at, 1);
      // It came just now, to who does not want it any more.
      else this.#next();
      throw error;
    }
  }
}
