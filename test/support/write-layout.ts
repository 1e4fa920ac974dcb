import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A descriptor as OCI's image-spec has it; more fields are kept. */
export type LayoutDescriptor = { mediaType: string; digest: string; size: number } & Record<string, unknown>;

/**
 * Writes an OCI layout with one image of one empty layer, under the tag `1`, and gives its descriptor.
 *
 * @param more fields of the descriptor in `index.json`, besides media type, digest, size and the tag.
 */
export async function writeLayout(
  dir: string,
  more: Record<string, unknown> = {},
): Promise<LayoutDescriptor> {
  const layer = await writeBlob(dir, "application/vnd.oci.image.layer.v1.tar", Buffer.alloc(1024));
  const config = await writeBlob(dir, "application/vnd.oci.image.config.v1+json", {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = await writeBlob(dir, mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
  const { annotations = {}, ...fields } = more;
  const listed = {
    ...manifest,
    ...fields,
    annotations: { "org.opencontainers.image.ref.name": "1", ...(annotations as object) },
  };
  await writeFile(join(dir, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [listed] }));
  return listed;
}

async function writeBlob(dir: string, mediaType: string, value: object): Promise<LayoutDescriptor> {
  const content = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  const hex = createHash("sha256").update(content).digest("hex");
  await mkdir(join(dir, "blobs/sha256"), { recursive: true });
  await writeFile(join(dir, "blobs/sha256", hex), content);
  return { mediaType, digest: `sha256:${hex}`, size: content.length };
}
