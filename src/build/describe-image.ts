import { type BuildkitClient, ContentError, readContent } from "../buildkit/index.js";
import { isJsonObject, type JsonObject } from "../config/index.js";
import { isSlipwayError, parseJson } from "../core/index.js";

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

/** Manifests, indexes and configs larger than this are none (SEC-34). */
const largestDocument = 4 << 20;
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
  const read = async (id: string): Promise<JsonObject> => {
    if (bytes > mostBytes)
      throw new ContentError(
        "CONTENT_TOO_LARGE",
        digest,
        `the documents of ${digest} are larger than ${mostBytes} bytes`,
      );
    const content = await readContent(client, id, { limit: largestDocument, signal });
    bytes += content.length;
    const document: unknown = parseJson(content.toString("utf8"));
    return isJsonObject(document) ? document : {};
  };
  try {
    const root = await read(digest);
    const entries = listOf(root["manifests"]);
    if (entries.length === 0) return [await describeManifest(read, digest, root, "")];
    const platforms = entries.map((entry) => ({
      digest: textOf(entry["digest"]),
      platform: platformText(entry["platform"]),
    }));
    const images = platforms.filter(({ platform }) => platform !== "unknown/unknown");
    if (images.length > mostPlatforms) return [];
    const described: ImagePlatform[] = [];
    // A few at a time: each may be of 4 MiB.
    for (let at = 0; at < images.length; at += atOnce)
      described.push(
        ...(await Promise.all(
          images
            .slice(at, at + atOnce)
            .map(async (entry) =>
              describeManifest(read, entry.digest, await read(entry.digest), entry.platform),
            ),
        )),
      );
    return described;
  } catch (error) {
    if (signal?.aborted) throw error;
    if (isSlipwayError(error) || error instanceof SyntaxError) return [];
    throw error;
  }
}

async function describeManifest(
  read: (digest: string) => Promise<JsonObject>,
  digest: string,
  manifest: JsonObject,
  platform: string,
): Promise<ImagePlatform> {
  const configDigest = isJsonObject(manifest["config"]) ? textOf(manifest["config"]["digest"]) : "";
  const config = configDigest === "" ? {} : await read(configDigest);
  const layers = listOf(manifest["layers"]);
  const makers = listOf(config["history"]).filter((entry) => entry["empty_layer"] !== true);
  return {
    platform: platform || platformText(config),
    digest,
    layers: layers.map((layer, index) => {
      // A history that does not fit the layers says nothing about any of them.
      const createdBy = makers.length === layers.length ? textOf(makers[index]?.["created_by"]) : "";
      return {
        digest: textOf(layer["digest"]),
        size: Number(layer["size"] ?? 0),
        mediaType: textOf(layer["mediaType"]),
        ...(createdBy !== "" && { createdBy }),
      };
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
