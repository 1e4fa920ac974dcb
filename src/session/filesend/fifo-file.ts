import { constants, open } from "node:fs";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { promisify } from "node:util";
import { sleep } from "../../core/index.js";
import { errnoOf, ioError } from "./export-error.js";

const pollMilliseconds = 100;

/**
 * Opens a fifo for writing as soon as somebody reads it. No thread waits in open(2) or write(2), which would keep the whole
 * process from ending.
 *
 * @throws AbortedError; NodeJS.ErrnoException
 */
export async function openFifo(path: string, signal: AbortSignal | undefined): Promise<Writable> {
  for (;;) {
    try {
      return new FifoFile(path, await promisify(open)(path, constants.O_WRONLY | constants.O_NONBLOCK));
    } catch (error) {
      // Nobody reads it yet.
      if (errnoOf(error) !== "ENXIO") throw error;
    }
    await sleep(pollMilliseconds, signal);
  }
}

/** A fifo as a stream whose errors name it. */
class FifoFile extends Writable {
  readonly #path: string;
  readonly #socket: Socket;

  constructor(path: string, fd: number) {
    super();
    this.#path = path;
    this.#socket = new Socket({ fd, readable: false });
    this.#socket.on("error", (error) => this.destroy(this.#error(error)));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, (error) => done(error && this.#error(error)));
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #error(cause: Error): Error {
    return ioError("write", this.#path, cause);
  }
}
