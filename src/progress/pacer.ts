import type { Environment } from "../config/index.js";

/** What a {@link Pacer} drives. */
export interface PacerOptions {
  now: () => number;
  env: Environment;
  draw: () => void;
  /** More is to be shown later though nothing else may arrive. */
  unfinished: () => boolean;
}

/**
 * Says when to draw: at most every 100 ms, and 150 ms after the last update while something is unfinished. Both are
 * replaced by TTY_DISPLAY_RATE in milliseconds (progressui Display.UpdateFrom). Holds a timer, which does not keep the
 * process alive, only while there is something to draw.
 */
export class Pacer {
  readonly #options: PacerOptions;
  readonly #tick: number;
  readonly #pause: number;
  #last = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PacerOptions) {
    this.#options = options;
    const rate = options.env.TTY_DISPLAY_RATE ?? "";
    const custom = /^[+-]?\d+$/.test(rate) ? Math.max(1, Number(rate)) : undefined;
    this.#tick = custom ?? 150;
    this.#pause = custom ?? 100;
  }

  /** Something changed. */
  update(): void {
    const now = this.#options.now();
    // A clock that was set back must not silence the display.
    if (now - this.#last >= this.#pause || now < this.#last) {
      this.#last = now;
      this.#options.draw();
    }
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.stop();
    if (!this.#options.unfinished()) return;
    this.#timer = setTimeout(() => {
      this.#options.draw();
      this.#arm();
    }, this.#tick);
    this.#timer.unref();
  }
}
