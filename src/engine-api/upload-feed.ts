import { Readable } from "node:stream";
import { DeadlineError, nextTurn } from "../core/index.js";
import { EngineError } from "./errors.js";

/** Bytes to be uploaded. A stream is destroyed, an iterator returned, when no more of it is wanted. */
export type UploadSource = Readable | AsyncIterable<Uint8Array>;

/** A source on its way to the engine. Disposing it lets go of the source. */
export interface UploadFeed extends AsyncDisposable {
  /** Waits for the first byte. @throws EngineError `ENGINE_EMPTY_BODY` when there is none (FLT-23). */
  ready(): Promise<void>;
  /** The bytes; may be called once, after {@link ready}. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /** The engine has begun to answer: no deadline is kept from now on. */
  answered(): void;
  /** Set when the source failed. */
  readonly sourceError: { error: unknown } | undefined;
}

// After so many bytes the loop gets a turn: an answer that has arrived in the meantime is looked at before more is written.
const turnBytes = 32 * 1024;

/** Watches a source: who is late, the source or the engine; and which of the two failed. */
export function uploadFeed(
  source: UploadSource,
  watch: { milliseconds: number; what: string; onStall: (error: Error) => void },
): UploadFeed {
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, void>;
  let stop: () => void = () => {};
  let stopped = false;
  let first: Uint8Array | undefined;
  let failure: { error: unknown } | undefined;
  let answered = false;
  let timer: NodeJS.Timeout | undefined;

  const disarm = () => clearTimeout(timer);
  const arm = () => {
    if (watch.milliseconds === 0 || answered) return;
    timer = setTimeout(
      () => watch.onStall(new DeadlineError(watch.what, watch.milliseconds)),
      watch.milliseconds,
    );
  };
  // Not by Promise.race with one promise for all: that one would hold every chunk until the end.
  const next = () =>
    new Promise<Uint8Array | undefined>((resolve, reject) => {
      // A rejection and not an end, which would make the upload look complete to the engine.
      stop = () => reject(new Error("no more of the source is wanted"));
      if (stopped) return stop();
      iterator.next().then(
        (result) => resolve(result.done ? undefined : result.value),
        (error: Error) => {
          if (!stopped) failure = { error };
          reject(error);
        },
      );
    });
  return {
    get sourceError() {
      return failure;
    },
    async ready() {
      do {
        first = await next();
        if (first === undefined)
          throw new EngineError(
            "ENGINE_EMPTY_BODY",
            `nothing to send to the engine: the body of ${watch.what} is empty`,
          );
      } while (first.length === 0);
    },
    async *chunks() {
      let sent = 0;
      for (let chunk = first; chunk !== undefined; chunk = await next()) {
        if (chunk.length === 0) continue;
        arm();
        yield chunk;
        disarm();
        sent += chunk.length;
        if (sent >= turnBytes) {
          sent = 0;
          await nextTurn();
        }
      }
      arm();
    },
    answered() {
      answered = true;
      disarm();
    },
    async [Symbol.asyncDispose]() {
      answered = true;
      disarm();
      stopped = true;
      stop();
      if (source instanceof Readable) source.on("error", () => {}).destroy();
      else void iterator.return?.()?.catch(() => {});
    },
  };
}
