import { type BuildkitClient, readContent } from "../../buildkit/index.js";
import { type JsonObject, isJsonObject } from "../../config/index.js";
import { SlipwayError, parseJson } from "../../core/index.js";

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

/** Manifests, indexes and configs larger than this are none (SEC-34). */
export const largestDocument = 4 << 20;

/** The image has a form that slipway does not take apart; the full archive will do. */
export class UnknownImageError extends SlipwayError {
  constructor(message: string) {
    super("IMAGE_UNKNOWN_FORM", message);
  }
}

/** Reads manifests and configs of an image from the builder's content store, each checked against its digest. */
export async function readImageContent(
  client: BuildkitClient,
  digest: string,
  signal?: AbortSignal,
): Promise<ImageContent> {
  const documents = new Map<string, Buffer>();
  const read = async (id: string): Promise<JsonObject> => {
    const content = await readContent(client, id, { limit: largestDocument, signal });
    documents.set(id, content);
    return parseDocument(content);
  };
  const document = await read(digest);
  const root = { digest, size: documents.get(digest)?.length ?? 0, mediaType: textOf(document["mediaType"]) };
  const entries = document["manifests"];
  if (Array.isArray(entries)) {
    if (document["layers"] !== undefined) throw new UnknownImageError("an index that has layers");
    const manifests = await Promise.all(
      (entries as unknown[]).map(async (entry) => {
        const blob = blobOf(entry);
        return manifestOf(blob, await read(blob.digest), read);
      }),
    );
    return { root, manifests, documents };
  }
  return { root, manifests: [await manifestOf(root, document, read)], documents };
}

async function manifestOf(
  blob: Blob,
  manifest: JsonObject,
  read: (digest: string) => Promise<JsonObject>,
): Promise<ImageManifest> {
  const layers = manifest["layers"];
  if (!Array.isArray(layers) || manifest["manifests"] !== undefined)
    throw new UnknownImageError(`${blob.digest} is no image manifest`);
  const config = blobOf(manifest["config"]);
  const { rootfs } = await read(config.digest);
  const diffIds =
    isJsonObject(rootfs) && Array.isArray(rootfs["diff_ids"]) ? rootfs["diff_ids"].map(textOf) : [];
  return { ...blob, config, layers: layers.map(blobOf), diffIds };
}

/** Reads a descriptor. */
export function blobOf(value: unknown): Blob {
  if (!isJsonObject(value)) throw new UnknownImageError("a descriptor is missing");
  const digest = textOf(value["digest"]);
  const { size } = value;
  if (!/^sha(256|512):[0-9a-f]+$/.test(digest) || typeof size !== "number")
    throw new UnknownImageError(`a descriptor without digest or size`);
  return { digest, size, mediaType: textOf(value["mediaType"]) };
}

/** A JSON document of an image. */
export function parseDocument(content: Buffer): JsonObject {
  const document: unknown = parseJson(content.toString("utf8"));
  if (!isJsonObject(document)) throw new UnknownImageError("a document of the image is no JSON object");
  return document;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
