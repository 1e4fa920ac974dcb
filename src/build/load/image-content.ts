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

/**
 * Reads manifests and configs of an image from the builder's content store, each checked against its digest.
 *
 * @throws RegistryError for what is no image; ContentError, BuildkitError
 */
export async function readImageContent(
  client: BuildkitClient,
  digest: string,
  signal?: AbortSignal,
): Promise<ImageContent> {
  const documents = new Map<string, Buffer>();
  const read = async (id: string): Promise<Buffer> => {
    const content = await readContent(client, id, { limit: maxManifestBytes, signal });
    documents.set(id, content);
    return content;
  };
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
