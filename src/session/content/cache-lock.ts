import { join } from "node:path";
import { abortError } from "../../core/index.js";
import { type FileLock, lockFile, tryLockFile } from "../../fs/index.js";

/**
 * Keeps a local cache's blobs from being removed during an export that may rely on them. Exporters share a flock(2) on
 * `<cache>/cache.lock` from their first write until the index names what they wrote; whoever removes blobs must hold it
 * alone (BuildKit 0.33 client/solve.go, cacheExportStore and resetCacheStore). The file is never removed: if another one
 * took its place, two could hold the lock at once.
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
   * Runs work that needs the cache for itself. False, with nothing done, while an export is under way. On a machine
   * without flock(1) nothing is known of exports, and the work is done.
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
