import { Writable } from "node:stream";
import { InvalidArgumentError, SlipwayError, readOptions } from "../core/index.js";
import { memoryOutputKinds } from "./option-kinds.js";

/** Options of {@link memory}. */
export interface MemoryOutputOptions {
  /** Most bytes that are kept; a build that gives more fails. Default 1 GiB. */
  maxBytes?: number;
}

/** An output in memory: whole after the build, or piece by piece while it comes. Made by {@link memory}. */
export interface MemoryOutput extends Writable {
  /** Bytes that have come. */
  size(): number;
  /** All bytes of an output that is whole. @throws InvalidArgumentError before it is. */
  bytes(): Buffer;
  /**
   * What is in an output of type `tar`, by path without a leading slash.
   *
   * @throws InvalidArgumentError before it is whole, SlipwayError `CONTENT_GAP` for what is no archive.
   */
  files(): Promise<Map<string, OutputFile>>;
  /** The bytes in the order they come, from the first on, whenever it is begun; they stay. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void>;
}

/** A file of a {@link MemoryOutput} that is a tar archive. */
export interface OutputFile {
  type: "file" | "directory" | "symlink" | "link" | "other";
  /** Empty but of files. */
  content: Buffer;
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
  /** What a link leads to. */
  target?: string;
}

/**
 * A destination that keeps an output in memory: `outputs: [{ type: "tar", dest: memory() }]`. An object serves one
 * build.
 *
 * @throws InvalidArgumentError for a wrong option.
 */
export function memory(options: MemoryOutputOptions = {}): MemoryOutput {
  const { maxBytes = 1 << 30 } = readOptions("memory()", options, memoryOutputKinds);
  const chunks: Uint8Array[] = [];
  let size = 0;
  let waiting: (() => void)[] = [];
  const wakeAll = () => {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  const stream = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      size += chunk.length;
      if (size > maxBytes) return done(tooLarge(maxBytes));
      chunks.push(chunk);
      wakeAll();
      done();
    },
  });
  stream.once("finish", wakeAll).once("close", wakeAll);
  const bytes = () => {
    if (!stream.writableFinished)
      throw new InvalidArgumentError("the output is not whole: wait for the build to end well");
    return Buffer.concat(chunks);
  };
  return Object.assign(stream, {
    size: () => size,
    bytes,
    async files() {
      const whole = bytes();
      const { readTarFiles } = await import("./tar-files.js");
      return readTarFiles(whole);
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
      for (let at = 0; ;) {
        const chunk = chunks[at];
        if (chunk) {
          at += 1;
          yield chunk;
        } else if (stream.writableFinished) return;
        else if (stream.destroyed) throw stream.errored ?? brokenOff();
        else await new Promise<void>((resolve) => void waiting.push(resolve));
      }
    },
  });
}

function tooLarge(maxBytes: number): SlipwayError {
  return new SlipwayError(
    "CONTENT_TOO_LARGE",
    `the output has more than ${maxBytes} bytes, which memory({ maxBytes }) limits it to`,
  );
}

function brokenOff(): SlipwayError {
  return new SlipwayError("SESSION_EXPORT_INCOMPLETE", "the output broke off");
}
