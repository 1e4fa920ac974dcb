import { type BuildkitClient, readContent } from "../../buildkit/index.js";
import { messageOf, parseJson } from "../../core/index.js";
import { maxManifestBytes } from "../../registry/index.js";

const indexType = "application/vnd.oci.image.index.v1+json";

/**
 * Whether an image that the builder has resolved is an OCI index. Only of such a one may it be asked for attestations: BuildKit up to
 * 0.34.2 ends with a nil pointer when it is asked for those of any other (BK source/containerimage/source.go).
 *
 * @throws Error where it cannot be told
 */
export async function isIndex(client: BuildkitClient, digest: string, signal: AbortSignal): Promise<boolean> {
  try {
    const content = await readContent(client, digest, { limit: maxManifestBytes, signal });
    const manifest = parseJson(content.toString("utf8")) as { mediaType?: unknown; manifests?: unknown };
    return Array.isArray(manifest.manifests) && (manifest.mediaType ?? indexType) === indexType;
  } catch (error) {
    throw new Error(`cannot tell whether ${digest} has attestations: ${messageOf(error)}`, { cause: error });
  }
}
