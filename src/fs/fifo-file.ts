import { constants, open } from "node:fs";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { promisify } from "node:util";
import { sleep } from "../core/index.js";

const pollMilliseconds = 100;

/** How {@link openFifo} opens. */
export interface FifoOptions {
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
  /** Whether to wait for a reader. If not, it is an error that there is none. */
  wait: boolean;
  /** Makes the stream's errors from those of the system. */
  errorOf: (error: unknown) => Error;
}

/**
 * Opens a fifo for writing as soon as somebody reads it. No thread waits in open(2) or write(2), which would keep the whole
 * process from ending.
 *
 * @throws AbortedError; NodeJS.ErrnoException
 */
export async function openFifo(path: string, { signal, wait, errorOf }: FifoOptions): Promise<Writable> {
  for (;;) {
    try {
      const fd = await promisify(open)(path, constants.O_WRONLY | constants.O_NONBLOCK);
      return new FifoFile(fd, errorOf);
    } catch (error) {
      // Nobody reads it yet, or any more.
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
      if (!wait) throw new Error("nobody reads it", { cause: error });
    }
    await sleep(pollMilliseconds, signal);
  }
}

/** A fifo as a stream whose errors name it. */
class FifoFile extends Writable {
  readonly #socket: Socket;
  readonly #errorOf: (error: unknown) => Error;

  constructor(fd: number, errorOf: (error: unknown) => Error) {
    super();
    this.#errorOf = errorOf;
    this.#socket = new Socket({ fd, readable: false });
    this.#socket.on("error", (error) => this.destroy(errorOf(error)));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, (error) => done(error && this.#errorOf(error)));
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
