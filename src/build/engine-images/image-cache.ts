import { mkdtemp, readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { unpackSavedImage } from "./saved-image.js";
import { makeDirectory } from "../../fs/index.js";

/** Images kept for later builds, at most; those not used for longest go. */
const mostImages = 8;
/** Of directories that are being filled. */
const temporaryPrefix = ".saving-";
/** No image takes longer to be saved, in ms. */
const savingMilliseconds = 24 * 3600 * 1000;

/** An engine's image as blobs in a directory. */
export interface CachedImage {
  /** Holds `blobs/sha256`. */
  path: string;
  /** Of its manifest or index. */
  digest: string;
}

/**
 * Keeps what engines saved, by image id, so that a second build reads nothing from the engine. A directory appears whole or
 * not at all.
 */
export class ImageCache {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The image with this id; saved by `save` when it is not here yet. */
  async get(id: string, save: () => Promise<Readable>): Promise<CachedImage> {
    const path = join(this.#dir, id.replace(/[^0-9a-z]/g, "-"));
    const digest = await readDigest(path);
    if (digest !== undefined) {
      await utimes(path, new Date(), new Date());
      return { path, digest };
    }
    await makeDirectory(this.#dir, 0o700);
    const temporary = await mkdtemp(join(this.#dir, temporaryPrefix));
    try {
      const saved = await unpackSavedImage(await save(), temporary, id);
      await writeFile(join(temporary, "digest"), saved);
      await this.#forgetOldest();
      await rename(temporary, path).catch(async (error: unknown) => {
        // Another build has saved the same image meanwhile.
        if ((await readDigest(path)) !== saved) throw error;
      });
      return { path, digest: saved };
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  /** Makes room for one more, and removes what builds that were killed have left half-made. */
  async #forgetOldest(): Promise<void> {
    const entries: { name: string; time: number }[] = [];
    for (const name of await readdir(this.#dir)) {
      // Another build may have removed it meanwhile.
      const entry = await stat(join(this.#dir, name)).catch(() => undefined);
      if (entry) entries.push({ name, time: entry.mtimeMs });
    }
    entries.sort((a, b) => b.time - a.time);
    const isHalfMade = ({ name }: { name: string }) => name.startsWith(temporaryPrefix);
    const abandoned = entries.filter(isHalfMade).filter(({ time }) => Date.now() - time > savingMilliseconds);
    const oldest = entries.filter((entry) => !isHalfMade(entry)).slice(mostImages - 1);
    for (const { name } of [...abandoned, ...oldest])
      await rm(join(this.#dir, name), { recursive: true, force: true });
  }
}

async function readDigest(path: string): Promise<string | undefined> {
  const text = await readFile(join(path, "digest"), "utf8").catch(() => "");
  return /^sha256:[0-9a-f]{64}$/.test(text) ? text : undefined;
}
