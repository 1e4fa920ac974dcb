import { join } from "node:path";
import { abortError } from "../../core/index.js";
import { type FileLock, lockFile, tryLockFile } from "../../fs/index.js";

/**
 * Keeps a local cache's blobs from being removed while an export is under way that may count on them: exporters share a flock(2)
 * on `<cache>/cache.lock` from their first write until the index names what they wrote, and who would remove blobs must have it
 * alone (BuildKit 0.33 client/solve.go, cacheExportStore and resetCacheStore). The file stays: with another one in its place two
 * could hold the lock at once.
 */
export class CacheLock implements AsyncDisposable {
  readonly #path: string;
  #shared: Promise<FileLock> | undefined;
  #closed = false;

  /** @param directory of the cache */
  constructor(directory: string) {
    this.#path = join(directory, "cache.lock");
  }

  /** Takes a share, once; waits for whoever removes blobs. @throws LockError */
  async share(): Promise<void> {
    // Writes that come late, of a build that has ended, must not take it again.
    if (this.#closed) throw abortError(AbortSignal.abort());
    await (this.#shared ??= lockFile(this.#path, { mode: "shared" }));
  }

  /** Gives the share up, for good. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const shared = this.#shared;
    this.#shared = undefined;
    await (await shared?.catch(() => undefined))?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Does what needs the cache for itself; false, with nothing done, when an export is under way. Where flock(1) is missing nobody
   * can be asked, and nobody is.
   */
  async alone(work: () => Promise<void>, signal?: AbortSignal): Promise<boolean> {
    const lock = await tryLockFile(this.#path, signal ? { signal } : {});
    if (!lock) return false;
    try {
      await work();
    } finally {
      if (lock !== "missing") await lock.close();
    }
    return true;
  }
}
