import { type BuildkitClient, ContentError, readContent } from "../buildkit/index.js";
import { isJsonObject, type JsonObject } from "../config/index.js";
import { isSlipwayError } from "../core/index.js";
import { type Manifest, maxManifestBytes, parseDocument, parseManifest } from "../registry/index.js";

/** One blob of an image. */
export interface ImageLayer {
  digest: string;
  /** Bytes as stored, compressed or not. */
  size: number;
  mediaType: string;
  /** The instruction that made it, when the image's history tells. */
  createdBy?: string;
}

/** One platform of a built image. */
export interface ImagePlatform {
  /** E.g. `linux/arm64`; empty when the image does not say. */
  platform: string;
  /** Manifest digest. */
  digest: string;
  layers: ImageLayer[];
}

/** Platforms of one image, at most; there are not as many. */
const mostPlatforms = 200;
const atOnce = 8;
/** Bytes of an image's documents in all: what is read of them is kept in the result. */
const mostBytes = 32 << 20;

/**
 * Platforms and layers of an image that BuildKit has exported, read from its content store by the digest of its index or
 * manifest. Empty when the daemon does not keep the blobs or does not serve them.
 */
export async function describeImage(
  client: BuildkitClient,
  digest: string,
  signal?: AbortSignal,
): Promise<ImagePlatform[]> {
  let bytes = 0;
  const read = async (id: string): Promise<Buffer> => {
    if (bytes > mostBytes)
      throw new ContentError(
        "CONTENT_TOO_LARGE",
        digest,
        `the documents of ${digest} are larger than ${mostBytes} bytes`,
      );
    const content = await readContent(client, id, { limit: maxManifestBytes, signal });
    bytes += content.length;
    return content;
  };
  const readManifest = async (id: string) => parseManifest(await read(id), undefined, id);
  try {
    const root = await readManifest(digest);
    if (root.kind === "manifest") return [await describeManifest(read, digest, root, "")];
    const images = root.manifests
      .map(({ digest, platform }) => ({ digest, platform: platformText(platform) }))
      .filter(({ platform }) => platform !== "unknown/unknown");
    if (images.length > mostPlatforms) return [];
    const described: ImagePlatform[] = [];
    // A few at a time: each may be of 4 MiB.
    for (let at = 0; at < images.length; at += atOnce)
      described.push(
        ...(await Promise.all(
          images
            .slice(at, at + atOnce)
            .map(async ({ digest, platform }) =>
              describeManifest(read, digest, await readManifest(digest), platform),
            ),
        )),
      );
    return described;
  } catch (error) {
    if (signal?.aborted || !isSlipwayError(error)) throw error;
    return [];
  }
}

async function describeManifest(
  read: (digest: string) => Promise<Buffer>,
  digest: string,
  manifest: Manifest,
  platform: string,
): Promise<ImagePlatform> {
  if (manifest.kind === "index") return { platform, digest, layers: [] };
  const config = parseDocument(await read(manifest.config.digest), manifest.config.digest);
  const { layers } = manifest;
  const makers = listOf(config["history"]).filter((entry) => entry["empty_layer"] !== true);
  return {
    platform: platform || platformText(config),
    digest,
    layers: layers.map(({ digest, size, mediaType }, index) => {
      // A history that does not fit the layers says nothing about any of them.
      const createdBy = makers.length === layers.length ? textOf(makers[index]?.["created_by"]) : "";
      return { digest, size, mediaType, ...(createdBy !== "" && { createdBy }) };
    }),
  };
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter((entry: unknown) => isJsonObject(entry)) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function platformText(value: unknown): string {
  if (!isJsonObject(value)) return "";
  return [value["os"], value["architecture"], value["variant"]].map(textOf).filter(Boolean).join("/");
}
