/** A build that takes longer is noted while it runs, in ms: it may be asked for in the meantime. */
const mostMilliseconds = 500;

/**
 * What is noted in the builder's store of a build that has begun: when the daemon has told all of it, after half a second, or when
 * this is disposed of, whichever comes first. Files take a dozen turns of the event loop: a short build has other use for them
 * until it waits for the daemon's answer alone.
 */
export class BuildNotes implements AsyncDisposable {
  readonly #write: () => Promise<unknown>;
  readonly #timer: NodeJS.Timeout;
  #written: Promise<unknown> | undefined;

  /** @param write is called once, and does not fail. */
  constructor(write: () => Promise<unknown>) {
    this.#write = write;
    this.#timer = setTimeout(() => this.write(), mostMilliseconds);
  }

  write(): void {
    clearTimeout(this.#timer);
    this.#written ??= this.#write();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.write();
    await this.#written;
  }
}
