import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { isJsonObject } from "../../config/index.js";
import { parseJson } from "../../core/index.js";
import { LeasedDirectory, type Lease, readBounded } from "../../fs/index.js";
import { unpackSavedImage } from "./saved-image.js";

/** Images kept for later builds, at most; those not used for longest go when a build ends. */
const mostImages = 8;
/** What says which blobs belong to an image; written last. */
const contentFile = "content.json";
/** Of that file, in bytes: an image has a thousand blobs at most, of a hundred bytes each. */
const largestContent = 4 << 20;

/** An engine's image as blobs in a directory. */
export interface CachedImage {
  /** Holds `blobs/sha256`. */
  path: string;
  /** Of its manifest or index. */
  digest: string;
}

/** An image that stays where it is until the lease is closed. */
export interface LeasedImage extends CachedImage {
  lease: Lease;
}

interface ImageContent {
  digest: string;
  /** Size of each blob in bytes, by the hex part of its digest. */
  blobs: Record<string, number>;
}

/**
 * Keeps what engines saved, by image id, so that a second build reads nothing from the engine. A directory appears whole and
 * goes whole; one that lost blobs all the same is saved anew.
 */
export class ImageCache {
  readonly #dir: LeasedDirectory;

  constructor(dir: string) {
    this.#dir = new LeasedDirectory(dir, { most: mostImages });
  }

  /** The image with this id; saved by `save` when it is not here yet. Stays until its lease is closed. */
  async get(
    id: string,
    save: () => Promise<Readable>,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<LeasedImage> {
    let digest: string | undefined;
    const lease = await this.#dir.take(id.replace(/[^0-9a-z]/g, "-"), {
      isWhole: async (path) => {
        const found = await wholeImage(path);
        digest = found ?? digest;
        return found !== undefined;
      },
      make: async (path) => {
        const saved = await unpackSavedImage(await save(), path, id);
        await writeFile(join(path, contentFile), JSON.stringify(await contentOf(path, saved)));
        digest = saved;
      },
      signal,
    });
    return { path: lease.path, digest: digest ?? "", lease };
  }
}

async function contentOf(path: string, digest: string): Promise<ImageContent> {
  const blobs: Record<string, number> = {};
  const dir = join(path, "blobs/sha256");
  for (const hex of await readdir(dir)) blobs[hex] = (await stat(join(dir, hex))).size;
  return { digest, blobs };
}

/** The digest of an image of which every blob is there; undefined for any other. */
async function wholeImage(path: string): Promise<string | undefined> {
  try {
    const text = (await readBounded(join(path, contentFile), { limit: largestContent })).toString("utf8");
    const content = parseJson(text);
    if (!isJsonObject(content) || !isJsonObject(content["blobs"])) return undefined;
    for (const [hex, size] of Object.entries(content["blobs"]))
      if ((await stat(join(path, "blobs/sha256", hex))).size !== size) return undefined;
    return typeof content["digest"] === "string" ? content["digest"] : undefined;
  } catch {
    return undefined; // not there, or not all of it
  }
}
