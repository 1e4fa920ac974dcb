import {
  type Descriptor,
  RegistryError,
  type StoredManifest,
  isIndexType,
  isManifestType,
  parseManifest,
} from "../../registry/index.js";
import { InvalidArgumentError, type LinkedSignal, linkSignal, throwIfAborted } from "../../core/index.js";
import { type ImageLocation, formatImageLocation } from "./image-location.js";
import type { ImageStores } from "./open-stores.js";

/** Referrers that go along with what they refer to (buildx v0.36 util/imagetools supportedArtifactTypes). */
const keptArtifacts: ReadonlySet<string> = new Set([
  "application/vnd.docker.attestation.manifest.v1+json",
  "application/vnd.dev.cosign.artifact.sig.v1+json",
  "application/vnd.dev.sigstore.bundle.v0.3+json",
]);

/** Blobs under way at a time. */
const mostAtOnce = 4;

/** Deepest nesting of indexes and referrers that is followed. */
const deepest = 8;

interface Subject {
  source: ImageLocation;
  digest: string;
  depth: number;
}

/** Copies images into one place, every blob once however many images have it. */
export class ImageCopier implements Disposable {
  readonly #stores: ImageStores;
  readonly #target: ImageLocation;
  readonly #link: LinkedSignal;
  /** What is copied or being copied, by digest. */
  readonly #done = new Map<string, Promise<void>>();
  /** What was copied, and whose referrers were not looked for yet. */
  readonly #subjects: Subject[] = [];
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  get #signal(): AbortSignal {
    return this.#link.signal;
  }

  constructor(stores: ImageStores, target: ImageLocation, signal: AbortSignal | undefined) {
    this.#stores = stores;
    this.#target = target;
    this.#link = linkSignal(signal);
  }

  /**
   * Copies indexes, manifests and blobs with all they list and what refers to them. The first that fails ends the others; it is
   * thrown when nothing is being written any more.
   */
  async copyAll(parts: readonly { source: ImageLocation; descriptor: Descriptor }[]): Promise<void> {
    try {
      await Promise.all(parts.map(({ source, descriptor }) => this.#copy(source, descriptor)));
    } catch (error) {
      this.#link.abort(error);
      await this.#ended();
      throw error;
    }
  }

  /** Lets go of the signal. */
  [Symbol.dispose](): void {
    this.#link[Symbol.dispose]();
  }

  async #copy(source: ImageLocation, descriptor: Descriptor): Promise<void> {
    try {
      await this.#part(source, descriptor, 0);
      await this.#copyFound();
    } catch (error) {
      throwIfAborted(this.#signal);
      if (!(error instanceof RegistryError)) throw error;
      const [from, to] = [source, this.#target].map(formatImageLocation);
      throw explained(error, `copy ${descriptor.digest} from ${from} to ${to}`);
    }
  }

  /** Work may begin other work before it ends. */
  async #ended(): Promise<void> {
    for (let known = -1; known !== this.#done.size;) {
      known = this.#done.size;
      await Promise.allSettled(this.#done.values());
    }
  }

  /** Copies what refers to an image and is to go along, once the image itself is there. */
  async copyReferrers(source: ImageLocation, digest: string): Promise<void> {
    this.#subjects.push({ source, digest, depth: 0 });
    await this.#copyFound();
  }

  /** Copies the referrers of what was copied, and theirs. */
  async #copyFound(): Promise<void> {
    while (this.#subjects.length > 0)
      await Promise.all(this.#subjects.splice(0).map((subject) => this.#referrers(subject)));
  }

  async #referrers({ source, digest, depth }: Subject): Promise<void> {
    const found = await this.#stores.of(source).referrers(source, digest, { signal: this.#signal });
    const kept = found.filter(({ artifactType }) => keptArtifacts.has(artifactType ?? ""));
    await Promise.all(kept.map((referrer) => this.#manifest(source, referrer, depth + 1)));
  }

  #manifest(source: ImageLocation, descriptor: Descriptor, depth: number): Promise<void> {
    return this.#once(descriptor.digest, async () => {
      if (depth > deepest)
        throw new InvalidArgumentError(`${descriptor.digest} is nested more than ${deepest} times`);
      const from = this.#stores.of(source);
      const options = { signal: this.#signal };
      const stored = await from.readManifest(source, descriptor.digest, options);
      const manifest: StoredManifest = {
        content: stored.content,
        descriptor: { ...descriptor, mediaType: descriptor.mediaType || stored.descriptor.mediaType },
      };
      const parsed = parseManifest(stored.content, undefined, descriptor.digest);
      await Promise.all(
        parsed.kind === "index"
          ? parsed.manifests.map((entry) => this.#part(source, entry, depth + 1))
          : [parsed.config, ...parsed.layers].map((blob) => this.#blob(source, blob)),
      );
      await this.#stores.of(this.#target).writeManifest(this.#target, manifest, options);
      // Not waited for here: a registry may say of two that each refers to the other.
      this.#subjects.push({ source, digest: descriptor.digest, depth });
    });
  }

  /** An index may list blobs as well (caches do). */
  #part(source: ImageLocation, entry: Descriptor, depth: number): Promise<void> {
    const isDocument = isIndexType(entry.mediaType) || isManifestType(entry.mediaType);
    return isDocument ? this.#manifest(source, entry, depth) : this.#blob(source, entry);
  }

  #blob(source: ImageLocation, blob: Descriptor): Promise<void> {
    if (isForeign(blob)) return Promise.resolve();
    return this.#once(blob.digest, async () => {
      await this.#turn();
      try {
        const options = { signal: this.#signal };
        const read = () => this.#stores.of(source).readBlob(source, blob, options);
        await this.#stores
          .of(this.#target)
          .writeBlob(this.#target, blob, { location: source, read }, options);
      } finally {
        this.#running--;
        this.#waiting.shift()?.();
      }
    });
  }

  #once(digest: string, work: () => Promise<void>): Promise<void> {
    let known = this.#done.get(digest);
    if (!known) this.#done.set(digest, (known = work()));
    return known;
  }

  async #turn(): Promise<void> {
    while (this.#running >= mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
  }
}

/** Layers that may not be pushed, and that others fetch from elsewhere. */
function isForeign({ mediaType }: Descriptor): boolean {
  return /\.(foreign|nondistributable)\./.test(mediaType);
}

/** The error with what was being done in front. */
export function explained(error: RegistryError, what: string): RegistryError {
  const { code, host, status, message } = error;
  return new RegistryError(code, `${what}: ${message}`, {
    cause: error,
    ...(host !== undefined && { host }),
    ...(status !== undefined && { status }),
  });
}
