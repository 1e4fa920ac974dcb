import { isJsonObject } from "../../config/index.js";
import { InvalidArgumentError, isSlipwayError, parseJson } from "../../core/index.js";
import { makeDirectory } from "../../fs/index.js";
import {
  type Descriptor,
  DigestVerifier,
  RegistryError,
  type StoredManifest,
  isIndexType,
  isManifestType,
  maxManifestBytes,
  readDescriptor,
} from "../../registry/index.js";
import { ContentStore, findDescriptor, putDescriptor, readOciIndex } from "../../session/index.js";
import { detectMediaType, listedManifests } from "./documents.js";
import { type ImageLocation, formatImageLocation, layoutDirectory } from "./image-location.js";
import {
  type BlobSource,
  type ImageStore,
  type StoreCallOptions,
  collectBlob,
  oneChunk,
} from "./image-store.js";

type LayoutLocation = Extract<ImageLocation, { kind: "layout" }>;

/** Marks an entry of `index.json` as a referrer of another manifest (containerd images.AnnotationManifestSubject). */
const subjectAnnotation = "io.containerd.manifest.subject";
const referenceDigest = "vnd.docker.reference.digest";

/** Images of OCI layout directories. */
export class LayoutStore implements ImageStore<LayoutLocation> {
  readonly #stores = new Map<string, ContentStore>();
  /** Manifests that came with a subject, by path, to be named in `index.json` if nothing else leads to them. */
  readonly #referrers = new Map<string, Map<string, { subject: string; descriptor: Descriptor }>>();

  async resolve(location: LayoutLocation): Promise<Descriptor> {
    const { digest, tag = "latest" } = location;
    if (digest !== undefined) return (await this.readManifest(location, digest)).descriptor;
    const found = await findDescriptor(layoutDirectory(location), tag);
    if (!found && (await readOciIndex(layoutDirectory(location))) === undefined)
      throw notFound(`${formatImageLocation(location)}: no OCI layout is at ${layoutDirectory(location)}`);
    if (!found) throw notFound(`reference ${formatImageLocation(location)} not found`);
    const descriptor = readDescriptor(found);
    if (!descriptor)
      throw new RegistryError(
        "REGISTRY_PROTOCOL",
        `the entry of ${formatImageLocation(location)} in index.json is no descriptor`,
      );
    return descriptor;
  }

  async readManifest(location: LayoutLocation, digest: string): Promise<StoredManifest> {
    const size = await this.#sizeOf(location, digest);
    if (size > maxManifestBytes)
      throw new RegistryError("REGISTRY_PROTOCOL", `${digest} is longer than ${maxManifestBytes} bytes`);
    const content = await collectBlob(this.readBlob(location, { mediaType: "", digest, size }));
    return { descriptor: { mediaType: detectMediaType(content, digest), digest, size }, content };
  }

  async *readBlob(
    location: LayoutLocation,
    { digest, size }: Descriptor,
    { signal }: StoreCallOptions = {},
  ): AsyncGenerator<Buffer> {
    const opened = await this.#store(location)
      .open(digest)
      .catch((error: unknown) => {
        throw notFound(`${formatImageLocation(location)}: blob ${digest} not found`, error);
      });
    const verifier = new DigestVerifier(digest);
    let length = 0;
    try {
      for await (const chunk of opened.handle.createReadStream({
        highWaterMark: 1 << 20,
        autoClose: false,
        ...(signal && { signal }),
      })) {
        length += (chunk as Buffer).length;
        verifier.update(chunk as Buffer);
        yield chunk as Buffer;
      }
    } finally {
      await opened.handle.close();
    }
    if (length !== size || !verifier.matches())
      throw new RegistryError(
        "REGISTRY_DIGEST",
        `${layoutDirectory(location)} has wrong content for ${digest} (${length} of ${size} bytes)`,
      );
  }

  async referrers(location: LayoutLocation, subject: string): Promise<Descriptor[]> {
    const index = await readOciIndex(layoutDirectory(location));
    const found = new Map<string, Descriptor>();
    await this.#walk(location, rootsOf(index?.manifests ?? []), async (descriptor) => {
      if (descriptor.annotations?.[referenceDigest] === subject) found.set(descriptor.digest, descriptor);
      else if (isManifestType(descriptor.mediaType)) {
        const known = await this.#subjectOf(location, descriptor.digest);
        if (known === subject) found.set(descriptor.digest, descriptor);
      }
    });
    for (const entry of index?.manifests ?? []) {
      const descriptor = readDescriptor(entry);
      if (descriptor?.annotations?.[subjectAnnotation] === subject) found.set(descriptor.digest, descriptor);
    }
    return [...found.values()];
  }

  async writeBlob(
    location: LayoutLocation,
    { digest, size }: Descriptor,
    { read }: BlobSource,
  ): Promise<void> {
    const store = this.#store(location);
    if (await store.has(digest)) return;
    await makeDirectory(store.path, 0o755);
    const ingest = await store.writer(`slipway-${digest}`, size, digest);
    try {
      // One that was broken off begins anew.
      if (ingest.offset > 0) await ingest.truncate();
      for await (const chunk of read()) await ingest.write(chunk);
      await ingest.commit(size, digest);
    } catch (error) {
      // Another process may have brought it meanwhile.
      if (!(await store.has(digest))) throw error;
    } finally {
      await ingest.close();
    }
  }

  async writeManifest(location: LayoutLocation, { descriptor, content }: StoredManifest): Promise<void> {
    await this.writeBlob(location, descriptor, { location, read: () => oneChunk(content) });
    const subject = subjectIn(content);
    if (subject === undefined) return;
    const path = layoutDirectory(location);
    const known = this.#referrers.get(path) ?? new Map<string, { subject: string; descriptor: Descriptor }>();
    known.set(descriptor.digest, { subject, descriptor });
    this.#referrers.set(path, known);
  }

  async publish(
    location: LayoutLocation,
    manifest: StoredManifest,
    { signal }: StoreCallOptions = {},
  ): Promise<void> {
    const { descriptor } = manifest;
    const path = layoutDirectory(location);
    if (location.digest !== undefined && location.digest !== descriptor.digest)
      throw new InvalidArgumentError(
        `target ${formatImageLocation(location)} requested digest ${location.digest} but produced ${descriptor.digest}`,
      );
    await this.writeBlob(location, descriptor, { location, read: () => oneChunk(manifest.content) });
    const { tag } = location;
    await putDescriptor(
      path,
      { ...descriptor },
      { signal, ...(location.digest === undefined && { tag: tag ?? "latest" }) },
    );
    await this.#nameReferrers(location, signal);
  }

  /** Referrers that no root leads to get entries of their own (buildx util/imagetools/ocilayout_referrers.go). */
  async #nameReferrers(location: LayoutLocation, signal: AbortSignal | undefined): Promise<void> {
    const path = layoutDirectory(location);
    const pending = this.#referrers.get(path);
    if (!pending) return;
    this.#referrers.delete(path);
    const reachable = new Set<string>();
    const index = await readOciIndex(path);
    await this.#walk(location, rootsOf(index?.manifests ?? []), ({ digest }) => void reachable.add(digest));
    for (const { subject, descriptor } of pending.values()) {
      if (reachable.has(descriptor.digest)) continue;
      const annotations = { ...descriptor.annotations, [subjectAnnotation]: subject };
      await putDescriptor(path, { ...descriptor, annotations }, { signal });
    }
  }

  /** Visits manifests and indexes and what they list, each once. */
  async #walk(
    location: LayoutLocation,
    roots: readonly Descriptor[],
    visit: (descriptor: Descriptor) => Promise<void> | void,
  ): Promise<void> {
    const seen = new Set<string>();
    const queue = [...roots];
    for (let next = queue.shift(); next; next = queue.shift()) {
      if (seen.has(next.digest)) continue;
      seen.add(next.digest);
      await visit(next);
      if (!isIndexType(next.mediaType)) continue;
      const { content } = await this.readManifest(location, next.digest);
      queue.push(...listedManifests(content, next.digest));
    }
  }

  async #subjectOf(location: LayoutLocation, digest: string): Promise<string | undefined> {
    try {
      return subjectIn((await this.readManifest(location, digest)).content);
    } catch (error) {
      // A layout need not hold all it lists.
      if (isSlipwayError(error, "REGISTRY_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  async #sizeOf(location: LayoutLocation, digest: string): Promise<number> {
    try {
      return (await this.#store(location).info(digest)).size;
    } catch (error) {
      throw notFound(`${formatImageLocation(location)}: ${digest} not found`, error);
    }
  }

  #store(location: LayoutLocation): ContentStore {
    const path = layoutDirectory(location);
    let store = this.#stores.get(path);
    if (!store) this.#stores.set(path, (store = new ContentStore(path, { access: "read-write" })));
    return store;
  }
}

function rootsOf(manifests: readonly Descriptor[]): Descriptor[] {
  return manifests.filter(({ annotations }) => !annotations?.[subjectAnnotation]);
}

function subjectIn(content: Buffer): string | undefined {
  const value: unknown = parseJson(content.toString());
  const subject = isJsonObject(value) ? value["subject"] : undefined;
  return isJsonObject(subject) && typeof subject["digest"] === "string" ? subject["digest"] : undefined;
}

function notFound(message: string, cause?: unknown): RegistryError {
  return new RegistryError("REGISTRY_NOT_FOUND", message, { cause });
}
