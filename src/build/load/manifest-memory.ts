import { createHash } from "node:crypto";
import { join } from "node:path";
import { keepFile, readBounded } from "../../fs/index.js";
import { maxManifestBytes, parseManifest } from "../../registry/index.js";
import { type Blob, blobOf } from "./image-content.js";

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

  /** Remembers a manifest. Where that fails the next load is a full one. */
  async add(digest: string, content: Buffer): Promise<void> {
    await keepFile(this.#path(digest), content, { most: mostManifests });
  }

  /** Layers of the manifest with this digest; undefined when it is not remembered. */
  async layers(digest: string): Promise<Blob[] | undefined> {
    try {
      const content = await readBounded(this.#path(digest), { limit: maxManifestBytes });
      const found = `sha256:${createHash("sha256").update(content).digest("hex")}`;
      if (found !== digest) return undefined;
      const manifest = parseManifest(content, undefined, digest);
      return manifest.kind === "manifest" ? manifest.layers.map(blobOf) : undefined;
    } catch {
      return undefined; // not there, or not readable: not remembered
    }
  }

  #path(digest: string): string {
    return join(this.#dir, digest.replace(/[^0-9a-z]/g, "-"));
  }
}
