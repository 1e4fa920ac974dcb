import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, readBounded, setAside, sharedReason, writeFileAtomic } from "../../fs/index.js";
import { type Blob, blobOf, largestDocument, parseDocument } from "./image-content.js";

/** Manifests kept, at most; the oldest go. */
const mostManifests = 256;

/**
 * Remembers the manifests of images that were loaded, so that a later load knows which blobs an engine has that reports one of
 * them as available: engines do not give manifests out, and the builder forgets those of old builds. A file is named by its
 * digest and checked against it when read, so that what lies there can mislead nobody.
 */
export class ManifestMemory {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Remembers a manifest. Failing is no harm: the next load is a full one. */
  async add(digest: string, content: Buffer): Promise<void> {
    try {
      await makeDirectory(this.#dir, 0o700);
      if (sharedReason(this.#dir) !== undefined) return;
      await writeFileAtomic(this.#path(digest), content, { mode: 0o600 });
      for (const old of setAside(this.#dir, { most: mostManifests })) await rm(old, { force: true });
    } catch {
      // A directory that cannot be written: see above.
    }
  }

  /** Layers of the manifest with this digest; undefined when it is not remembered. */
  async layers(digest: string): Promise<Blob[] | undefined> {
    try {
      const content = await readBounded(this.#path(digest), { limit: largestDocument });
      const found = `sha256:${createHash("sha256").update(content).digest("hex")}`;
      if (found !== digest) return undefined;
      const { layers } = parseDocument(content);
      return Array.isArray(layers) ? layers.map(blobOf) : undefined;
    } catch {
      return undefined; // not there, or not readable: not remembered
    }
  }

  #path(digest: string): string {
    return join(this.#dir, digest.replace(/[^0-9a-z]/g, "-"));
  }
}
