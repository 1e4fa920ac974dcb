import type { EventSink } from "../core/index.js";
import type { ProgressSink } from "../progress/index.js";

/** A build's display that leaves the terminal to something else for a while, and goes on below it with what is new then. */
export class PausableDisplay {
  readonly sink: EventSink;
  readonly #open: () => ProgressSink;
  #current: ProgressSink;

  /** @throws what `open` does */
  constructor(open: () => ProgressSink) {
    this.#open = open;
    this.#current = open();
    this.sink = (event) => this.#current(event);
    this.sink.ready = () => this.#current.ready();
  }

  pause(): Promise<void> {
    return this.#current.close();
  }

  resume(): void {
    this.#current = this.#open();
  }

  close(): Promise<void> {
    return this.#current.close();
  }
}
