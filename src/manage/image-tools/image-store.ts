import type { Descriptor, StoredManifest } from "../../registry/index.js";
import type { ImageLocation } from "./image-location.js";

/** Options of every call. */
export interface StoreCallOptions {
  signal?: AbortSignal | undefined;
}

/** Where images are read from and written to: registries, or layouts. Errors are RegistryErrors. */
export interface ImageStore<L extends ImageLocation = ImageLocation> {
  /** What a location stands for. @throws RegistryError `REGISTRY_NOT_FOUND` */
  resolve(location: L, options?: StoreCallOptions): Promise<Descriptor>;
  /** The index or manifest of a digest. */
  readManifest(location: L, digest: string, options?: StoreCallOptions): Promise<StoredManifest>;
  /** The bytes of a blob, checked at the end. */
  readBlob(location: L, blob: Descriptor, options?: StoreCallOptions): AsyncIterable<Buffer>;
  /** Manifests whose subject is the given one; none is no error. */
  referrers(location: L, digest: string, options?: StoreCallOptions): Promise<Descriptor[]>;
  /** Stores a blob unless it is there. `from` is where it comes from; a registry may take it from there itself. */
  writeBlob(location: L, blob: Descriptor, from: BlobSource, options?: StoreCallOptions): Promise<void>;
  /** Stores an index or a manifest under its digest. */
  writeManifest(location: L, manifest: StoredManifest, options?: StoreCallOptions): Promise<void>;
  /** Stores an index or a manifest under the name of the location. */
  publish(location: L, manifest: StoredManifest, options?: StoreCallOptions): Promise<void>;
}

/** A blob that is somewhere. */
export interface BlobSource {
  location: ImageLocation;
  read: () => AsyncIterable<Buffer>;
}

/** Content that is here, as a blob is read. */
export async function* oneChunk(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}

/** A blob whole. Its size was told by a descriptor, and is looked at before. */
export async function collectBlob(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return Buffer.concat(found);
}
