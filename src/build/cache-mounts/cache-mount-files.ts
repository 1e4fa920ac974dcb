import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { throwIfAborted } from "../../core/index.js";
import { FileReadError, makeDirectory, openPlace, systemReason, writeError } from "../../fs/index.js";
import { endBytes, isEnd } from "./archive-watch.js";

/** A cache mount's content that an earlier build has left. */
export interface SavedCacheMount extends AsyncDisposable {
  path: string;
  /** Bytes. */
  size: number;
  /** The archive, from its beginning; as often as is asked. */
  read(): Readable;
}

const pieceBytes = 1 << 20;

/** After so long a file that is not complete belongs to a process that was killed, in ms. */
const leftOverMilliseconds = 24 * 60 * 60 * 1000;

/** The directory in which the content of cache mounts is kept, a tar archive each. Other processes may use it as well. */
export class CacheMountFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  pathOf(fileName: string): string {
    return join(this.#dir, `${fileName}.tar`);
  }

  /** @throws FileReadError for what is there and is no whole archive; links are not followed. */
  async find(fileName: string): Promise<SavedCacheMount | undefined> {
    const path = this.pathOf(fileName);
    let file: FileHandle | undefined;
    try {
      file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const stats = await file.stat();
      const size = stats.isFile() ? stats.size : 0;
      const { buffer } = await file.read(Buffer.alloc(endBytes), 0, endBytes, Math.max(0, size - endBytes));
      if (size < endBytes || !isEnd(buffer))
        throw new FileReadError(path, stats.isFile() ? "it is no whole archive" : "it is no file", "EINVAL");
      return saved(path, size, file);
    } catch (error) {
      await file?.close();
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error instanceof FileReadError
        ? error
        : new FileReadError(path, systemReason(error), (error as NodeJS.ErrnoException).code ?? "EIO", error);
    }
  }

  /**
   * Opens a cache mount's file to be written anew: it takes its name when the stream ends, so that others see the old one or the
   * new. What is in its place is replaced, also a link.
   *
   * @throws FileWriteError, also as the stream's error
   */
  async write(fileName: string): Promise<Writable> {
    const path = this.pathOf(fileName);
    const errorOf = (_: string, cause: unknown) => writeError(path, cause);
    try {
      await makeDirectory(this.#dir, 0o755);
      return await openPlace({ kind: "file", path, mode: undefined }, { errorOf });
    } catch (error) {
      throw writeError(path, error);
    }
  }

  /** Removes what processes that were killed have left half-written. */
  async tidy(signal?: AbortSignal): Promise<void> {
    for (const name of await readdir(this.#dir).catch(() => [])) {
      throwIfAborted(signal);
      if (!/^\..*\.tar\.[0-9a-f]+\.part$/.test(name)) continue;
      const path = join(this.#dir, name);
      const entry = await lstat(path).catch(() => undefined);
      if (entry && Date.now() - entry.mtimeMs > leftOverMilliseconds) await unlink(path).catch(() => {});
    }
  }
}

function saved(path: string, size: number, file: FileHandle): SavedCacheMount {
  return {
    path,
    size,
    // A stream of the handle's own would close it when whoever reads leaves early.
    read: () => Readable.from(pieces(file, size), { objectMode: false }),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function* pieces(file: FileHandle, size: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < size;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, at);
    // Cut by somebody else meanwhile; what is missing is told by whoever reads it.
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
