import { pipeline } from "node:stream/promises";
import {
  type EventSink,
  SlipwayError,
  type VertexWriter,
  messageOf,
  orAborted,
  throwIfAborted,
  withVertex,
} from "../../core/index.js";
import { ArchiveWatch } from "./archive-watch.js";
import { CacheMountFiles, type SavedCacheMount } from "./cache-mount-files.js";
import type { CacheMount } from "./find-cache-mounts.js";
import type { MountContainers } from "./mount-containers.js";

/** What {@link CacheMountTransfer} works with. */
export interface CacheMountTransferOptions {
  dir: string;
  containers: MountContainers;
  sink: EventSink;
  signal: AbortSignal;
}

/** How many cache mounts are filled or saved at once. */
const atOnce = 4;

/** Carries the content of cache mounts from a directory into a builder, and back. */
export class CacheMountTransfer {
  readonly #files: CacheMountFiles;
  readonly #options: CacheMountTransferOptions;

  constructor(options: CacheMountTransferOptions) {
    this.#options = options;
    this.#files = new CacheMountFiles(options.dir);
  }

  /**
   * Fills those that the builder has nothing in yet. What cannot be filled is warned of, as with other caches that cannot be
   * imported: steps must work with any content of a cache mount.
   */
  async fill(mounts: readonly CacheMount[]): Promise<void> {
    const { dir, signal } = this.#options;
    await this.#files.tidy(signal);
    const anew = mounts.filter(({ isMadeAnew }) => isMadeAnew).map(({ title }) => title);
    if (anew.length > 0) {
      const text = `BuildKit makes cache mounts anew for steps without cache, so nothing is filled in from ${dir}: ${anew.join(", ")}`;
      this.#options.sink({ type: "message", level: "info", text });
    }
    const found = await Promise.all(mounts.map(async (mount) => ({ mount, saved: await this.#find(mount) })));
    const waiting: { mount: CacheMount; saved: SavedCacheMount }[] = [];
    for (const { mount, saved } of found) if (saved) waiting.push({ mount, saved });
    if (waiting.length === 0) return;
    try {
      await withVertex(this.#options.sink, `[internal] filling cache mounts from ${dir}`, (vertex) =>
        inTurns(waiting, async ({ mount, saved }) => {
          await this.#fillOne(mount, saved, vertex).catch((error: unknown) => {
            throwIfAborted(signal);
            this.warn(error);
          });
        }),
      );
    } finally {
      for (const { saved } of waiting) await saved[Symbol.asyncDispose]();
    }
  }

  /** Saves what is in them. @throws FileWriteError that names the file; SlipwayError `CACHE_MOUNT` */
  async save(mounts: readonly CacheMount[]): Promise<void> {
    if (mounts.length === 0) return;
    const { dir, sink } = this.#options;
    await withVertex(sink, `[internal] saving cache mounts to ${dir}`, (vertex) =>
      inTurns(mounts, (mount) => this.#saveOne(mount, vertex)),
    );
  }

  warn(error: unknown): void {
    this.#options.sink({ type: "message", level: "warning", text: messageOf(error) });
  }

  async #find(mount: CacheMount): Promise<SavedCacheMount | undefined> {
    // BuildKit makes it anew when its step is built without cache: what was put there would be lost.
    if (mount.isMadeAnew) return undefined;
    try {
      return await this.#files.find(mount.fileName);
    } catch (error) {
      this.warn(
        new SlipwayError("CACHE_MOUNT", `cache mount ${mount.title} is not filled: ${messageOf(error)}`),
      );
      return undefined;
    }
  }

  async #fillOne(mount: CacheMount, saved: SavedCacheMount, vertex: VertexWriter): Promise<void> {
    const { containers } = this.#options;
    const isFresh = await containers.isFresh(mount);
    const name = isFresh ? mount.title : `${mount.title} (kept as it is in the builder)`;
    await vertex.status(name, async () => {
      if (isFresh) await containers.unpack(mount, () => saved.read());
    });
  }

  async #saveOne(mount: CacheMount, vertex: VertexWriter): Promise<void> {
    const { containers, signal } = this.#options;
    const archive = new ArchiveWatch();
    const file = await this.#files.write(mount.fileName);
    const writing = orAborted(signal, pipeline(archive, file, { signal }));
    writing.catch(() => {}); // told by whoever writes into it, or below
    try {
      await vertex.status(mount.title, () => containers.pack(mount, archive));
      if (!archive.isWhole)
        throw new SlipwayError("CACHE_MOUNT", `the archive of the cache mount ${mount.title} broke off`);
      // What is empty is not worth what may be there: its step was found in a cache, and never ran in this builder.
      if (archive.isEmpty) return;
      archive.end();
      await writing;
    } finally {
      archive.destroy();
      await writing.catch(() => {});
    }
  }
}

/** Works on all, a few at once, also when one fails. @throws what the first of them does, when all have ended */
async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const turns = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (const item of left) await work(item);
  });
  const ended = await Promise.allSettled(turns);
  for (const one of ended) if (one.status === "rejected") throw one.reason;
}
