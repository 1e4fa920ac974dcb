import type { Descriptor, RegistryClient, StoredManifest } from "../../registry/index.js";
import type { ImageLocation } from "./image-location.js";
import type { BlobSource, ImageStore, StoreCallOptions } from "./image-store.js";

type RegistryLocation = Extract<ImageLocation, { kind: "registry" }>;

/** Images of registries. */
export class RegistryStore implements ImageStore<RegistryLocation> {
  readonly #client: RegistryClient;

  constructor(client: RegistryClient) {
    this.#client = client;
  }

  resolve({ reference }: RegistryLocation, options?: StoreCallOptions): Promise<Descriptor> {
    return this.#client.resolve(reference, options);
  }

  readManifest(
    { reference }: RegistryLocation,
    digest: string,
    options?: StoreCallOptions,
  ): Promise<StoredManifest> {
    return this.#client.getManifest({ ...reference, digest }, options);
  }

  readBlob(
    { reference }: RegistryLocation,
    blob: Descriptor,
    options?: StoreCallOptions,
  ): AsyncIterable<Buffer> {
    return this.#client.getBlob(reference, blob, options);
  }

  referrers(
    { reference }: RegistryLocation,
    digest: string,
    options?: StoreCallOptions,
  ): Promise<Descriptor[]> {
    return this.#client.referrers(reference, digest, options);
  }

  async writeBlob(
    { reference }: RegistryLocation,
    blob: Descriptor,
    { location, read }: BlobSource,
    options?: StoreCallOptions,
  ): Promise<void> {
    const mountFrom = location.kind === "registry" ? location.reference : undefined;
    await this.#client.putBlob(reference, blob, read, { ...options, ...(mountFrom && { mountFrom }) });
  }

  async writeManifest(
    { reference: { domain, path } }: RegistryLocation,
    { descriptor, content }: StoredManifest,
    options?: StoreCallOptions,
  ): Promise<void> {
    await this.#client.putManifest({ domain, path }, { mediaType: descriptor.mediaType, content }, options);
  }

  async publish(
    { reference }: RegistryLocation,
    { descriptor, content }: StoredManifest,
    options?: StoreCallOptions,
  ): Promise<void> {
    await this.#client.putManifest(reference, { mediaType: descriptor.mediaType, content }, options);
  }
}
