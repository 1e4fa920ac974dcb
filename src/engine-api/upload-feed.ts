import { Readable } from "node:stream";
import { DeadlineError, nextTurn, timerDelay } from "../core/index.js";
import { EngineError } from "./errors.js";

/** Bytes to be uploaded. A stream is destroyed, an iterator returned, when no more of it is wanted. */
export type UploadSource = Readable | AsyncIterable<Uint8Array>;

// After so many bytes the loop gets a turn: an answer that has arrived in the meantime is looked at before more is written.
const turnBytes = 32 * 1024;

/** What an {@link UploadFeed} is told of whom it feeds. */
export interface UploadWatch {
  /** How long the engine may go without taking bytes, in ms; 0 is without limit. */
  milliseconds: number;
  /** The request, for messages. */
  what: string;
  onStall: (error: Error) => void;
}

/** A source on its way to the engine: watches who is late, the source or the engine, and which of the two failed. Disposing it lets go of the source. */
export class UploadFeed implements AsyncDisposable {
  readonly #source: UploadSource;
  readonly #iterator: AsyncIterator<Uint8Array, void>;
  readonly #watch: UploadWatch;
  #stop: () => void = () => {};
  #isStopped = false;
  #isAnswered = false;
  #first: Uint8Array | undefined;
  #failure: { error: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: UploadSource, watch: UploadWatch) {
    this.#source = source;
    this.#iterator = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, void>;
    this.#watch = watch;
  }

  /** Set when the source failed. */
  get sourceError(): { error: unknown } | undefined {
    return this.#failure;
  }

  /** Waits for the first byte. @throws EngineError `ENGINE_EMPTY_BODY` when there is none (FLT-23). */
  async ready(): Promise<void> {
    do {
      this.#first = await this.#next();
      if (this.#first === undefined)
        throw new EngineError(
          "ENGINE_EMPTY_BODY",
          `nothing to send to the engine: the body of ${this.#watch.what} is empty`,
        );
    } while (this.#first.length === 0);
  }

  /** The bytes; may be called once, after {@link ready}. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    let sent = 0;
    let chunk = this.#first;
    this.#first = undefined;
    for (; chunk !== undefined; chunk = await this.#next()) {
      if (chunk.length === 0) continue;
      this.#arm();
      yield chunk;
      clearTimeout(this.#timer);
      sent += chunk.length;
      if (sent >= turnBytes) {
        sent = 0;
        await nextTurn();
      }
    }
    this.#arm();
  }

  /** The engine has begun to answer: no deadline is kept from now on. */
  answered(): void {
    this.#isAnswered = true;
    clearTimeout(this.#timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.answered();
    this.#isStopped = true;
    this.#stop();
    const source = this.#source;
    if (source instanceof Readable) source.on("error", () => {}).destroy();
    else void this.#iterator.return?.()?.catch(() => {});
  }

  #arm(): void {
    const { milliseconds, what, onStall } = this.#watch;
    if (milliseconds === 0 || this.#isAnswered) return;
    this.#timer = setTimeout(() => onStall(new DeadlineError(what, milliseconds)), timerDelay(milliseconds));
  }

  /** Does not use Promise.race with one shared promise, which would keep every chunk in memory until the end. */
  #next(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      // A rejection and not an end, which would make the upload look complete to the engine.
      this.#stop = () => reject(new Error("no more of the source is wanted"));
      if (this.#isStopped) return this.#stop();
      this.#iterator.next().then(
        (result) => resolve(result.done ? undefined : result.value),
        (error: Error) => {
          if (!this.#isStopped) this.#failure = { error };
          reject(error);
        },
      );
    });
  }
}
