import { createHash } from "node:crypto";
import { type BuildkitClient, readContent } from "../../buildkit/index.js";
import { isJsonObject } from "../../config/index.js";
import {
  type Descriptor,
  RegistryError,
  maxManifestBytes,
  parseDocument,
  parseManifest,
} from "../../registry/index.js";

/** A blob of an image. */
export interface Blob {
  digest: string;
  /** Bytes. */
  size: number;
  mediaType: string;
}

/** One manifest of an image, with the config's diff ids. */
export interface ImageManifest extends Blob {
  config: Blob;
  layers: Blob[];
  /** Digests of the uncompressed layers; empty for attestations. */
  diffIds: string[];
}

/** An image as the builder holds it: its root (a manifest or an index) and everything below. */
export interface ImageContent {
  root: Blob;
  manifests: ImageManifest[];
  /** Bytes of manifests, indexes and configs by digest. */
  documents: Map<string, Buffer>;
}

/** Loads what checks digests, which takes the command some milliseconds. */
export function prepareReading(): void {
  createHash("sha256");
}

/** Manifests, indexes and configs in a builder's content store. */
export class DocumentReader {
  /** What has been read, by digest. */
  readonly documents = new Map<string, Buffer>();
  readonly #client: BuildkitClient;
  readonly #signal: AbortSignal | undefined;

  constructor(client: BuildkitClient, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#signal = signal;
  }

  /** A document, checked against its digest; read once. @throws ContentError, BuildkitError */
  async read(digest: string): Promise<Buffer> {
    const known = this.documents.get(digest);
    if (known) return known;
    const content = await readContent(this.#client, digest, {
      limit: maxManifestBytes,
      signal: this.#signal,
    });
    this.documents.set(digest, content);
    return content;
  }
}

/** The digest of an image's config; undefined for an index. @throws as {@link readImageContent} */
export async function readConfigDigest(reader: DocumentReader, digest: string): Promise<string | undefined> {
  const parsed = parseManifest(await reader.read(digest), undefined, digest);
  return parsed.kind === "manifest" ? parsed.config.digest : undefined;
}

/**
 * Reads all manifests and configs of an image.
 *
 * @throws RegistryError for what is no image; ContentError, BuildkitError
 */
export async function readImageContent(reader: DocumentReader, digest: string): Promise<ImageContent> {
  const { documents } = reader;
  const read = (id: string) => reader.read(id);
  const content = await read(digest);
  const parsed = parseManifest(content, undefined, digest);
  const root = { digest, size: content.length, mediaType: parsed.mediaType };
  if (parsed.kind === "manifest")
    return { root, manifests: [await manifestOf(root, content, read)], documents };
  const manifests = await Promise.all(
    parsed.manifests.map(async (entry) => manifestOf(blobOf(entry), await read(entry.digest), read)),
  );
  return { root, manifests, documents };
}

async function manifestOf(
  blob: Blob,
  content: Buffer,
  read: (digest: string) => Promise<Buffer>,
): Promise<ImageManifest> {
  const manifest = parseManifest(content, undefined, blob.digest);
  if (manifest.kind === "index")
    throw new RegistryError("REGISTRY_PROTOCOL", `${blob.digest} is an index inside another`);
  const { rootfs } = parseDocument(await read(manifest.config.digest), manifest.config.digest);
  const diffIds = isJsonObject(rootfs) ? rootfs["diff_ids"] : undefined;
  return {
    ...blob,
    config: blobOf(manifest.config),
    layers: manifest.layers.map(blobOf),
    diffIds: Array.isArray(diffIds) ? diffIds.map((id: unknown) => (typeof id === "string" ? id : "")) : [],
  };
}

/** A descriptor's part that says which bytes it means. */
export function blobOf({ digest, size, mediaType }: Descriptor): Blob {
  return { digest, size, mediaType };
}
