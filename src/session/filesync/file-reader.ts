import { closeSync, constants, fstatSync, openSync, read, readSync } from "node:fs";
import { SlipwayError } from "../../core/index.js";
import { type ByteString, type DiskSource, type MemorySource } from "../../fs/index.js";
import type { AnnouncedFile } from "./announced-files.js";
import { changed, unreadable } from "./sync-error.js";

/** An open file that is read from front to back. Every method throws a {@link SyncError} that names the file. */
export interface OpenFile {
  /** Fills `length` bytes of the target at `at`. */
  readSync(target: Buffer, at: number, length: number): void;
  read(target: Buffer, at: number, length: number): Promise<void>;
  /** Throws when the file is not, or no longer, the one that was announced. To be called after the last byte. */
  verify(): void;
  close(): void;
}

/** Opens announced files; `path` is relative to the root. */
export type OpenFileAt = (file: AnnouncedFile, path: ByteString) => OpenFile;

/** What happens when as many bytes as were announced are there, but the file has grown or its times have moved. */
export type RacePolicy = "error" | ((path: ByteString) => void);

// O_NOFOLLOW: a link that took the file's place is refused. O_NONBLOCK: a fifo that took its place cannot block us
// (SEC-42).
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** A file of no more bytes than this is sent in one piece, after it was verified; of a longer one nothing is sent before. */
const wholeBytes = 64 * 1024;
const fullStat = { bigint: true } as const;

/** Files on disk. */
export function diskFiles(source: DiskSource, race: RacePolicy): OpenFileAt {
  return (file, path) => {
    try {
      const opened = new DiskFile(openSync(source.pathOf(path), openFlags), file, path, race);
      if (file.size > wholeBytes) opened.requireSame();
      return opened;
    } catch (error) {
      throw readFailure(error, path);
    }
  };
}

/** Files in memory. */
export function memoryFiles(source: MemorySource): OpenFileAt {
  return (_, path) => {
    const content = source.content(path);
    let position = 0;
    const copy = (target: Buffer, at: number, length: number) => {
      target.set(content.subarray(position, position + length), at);
      position += length;
    };
    return {
      readSync: copy,
      read: (target, at, length) => Promise.resolve(copy(target, at, length)),
      verify: () => {},
      close: () => {},
    };
  };
}

class DiskFile implements OpenFile {
  readonly #fd: number;
  readonly #file: AnnouncedFile;
  readonly #path: ByteString;
  readonly #race: RacePolicy;
  #open = true;

  constructor(fd: number, file: AnnouncedFile, path: ByteString, race: RacePolicy) {
    this.#fd = fd;
    this.#file = file;
    this.#path = path;
    this.#race = race;
  }

  readSync(target: Buffer, at: number, length: number): void {
    try {
      for (let done = 0; done < length;) {
        const count = readSync(this.#fd, target, at + done, length - done, null);
        if (count === 0) throw changed(this.#path);
        done += count;
      }
    } catch (error) {
      throw readFailure(error, this.#path);
    }
  }

  async read(target: Buffer, at: number, length: number): Promise<void> {
    for (let done = 0; done < length;) {
      const count = await this.#readSome(target, at + done, length - done);
      if (count === 0) throw changed(this.#path);
      done += count;
    }
  }

  /** Throws when another file was opened than was announced; closes it then. */
  requireSame(): void {
    const { ino, dev } = fstatSync(this.#fd, fullStat);
    if (ino === this.#file.ino && dev === this.#file.dev) return;
    this.close();
    throw changed(this.#path);
  }

  verify(): void {
    const stat = fstatSync(this.#fd, fullStat);
    const { size, dev, ino, mtimeNs, ctimeNs } = this.#file;
    // The inode is the announced one, so its type is too: no kernel changes that.
    if (stat.ino !== ino || stat.dev !== dev || stat.size < size) throw changed(this.#path);
    if (stat.mtimeNs === mtimeNs && stat.ctimeNs === ctimeNs && stat.size === BigInt(size)) return;
    if (this.#race === "error") throw changed(this.#path);
    this.#race(this.#path);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }

  #readSome(target: Buffer, at: number, length: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#fd, target, at, length, null, (error, count) => {
        if (error) reject(readFailure(error, this.#path));
        else resolve(count);
      });
    });
  }
}

/** A file that is gone, or is something else by now, counts as changed; any other failure, as unreadable. */
function readFailure(error: unknown, path: ByteString): Error {
  if (error instanceof SlipwayError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const replaced = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "EISDIR", "EAGAIN", "ESTALE", "ENODEV"];
  return replaced.includes(code) ? changed(path, error) : unreadable(path, error);
}
