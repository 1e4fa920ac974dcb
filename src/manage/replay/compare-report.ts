import { type Descriptor, type Manifest, descriptorJson } from "../../registry/index.js";

/** One side of an event. */
interface EventInput {
  descriptor?: object;
  manifest?: object;
}

/** A node of the report that `replay verify` writes: buildx's (replay/verify_compare.go), and the files that differ. */
export interface CompareReport {
  type?: "DescriptorMismatch" | "IndexBlobMismatch" | "ConfigBlobMismatch" | "LayerBlobMismatch";
  /** The subject's, and the replay's. */
  inputs?: [EventInput, EventInput];
  diff?: string;
  context?: string;
  children?: CompareReport[];
  /** Files of the layer, or fields of the configuration, that differ. */
  files?: { path?: string; field: string; expected?: string; actual?: string }[];
}

/** Two descriptors with different digests. */
export function descriptorMismatch(expected: Descriptor, actual: Descriptor): CompareReport {
  return mismatch(
    "DescriptorMismatch",
    `descriptor ${expected.mediaType || "<unknown>"}`,
    `digest mismatch: ${expected.digest} vs ${actual.digest}`,
    [{ descriptor: expected }, { descriptor: actual }],
  );
}

/** An event at one place. */
export function mismatch(
  type: NonNullable<CompareReport["type"]>,
  context: string,
  diff: string,
  sides: readonly { descriptor?: Descriptor; manifest?: Manifest }[],
): CompareReport {
  const inputs = sides.map(({ descriptor, manifest }) => ({
    ...(descriptor && { descriptor: descriptorJson(descriptor) }),
    ...(manifest && { manifest: manifestJson(manifest) }),
  })) as [EventInput, EventInput];
  return { type, inputs, diff, context };
}

function manifestJson(manifest: Manifest): object {
  const { mediaType, annotations } = manifest;
  const listed =
    manifest.kind === "index"
      ? { manifests: manifest.manifests.map(descriptorJson) }
      : { config: descriptorJson(manifest.config), layers: manifest.layers.map(descriptorJson) };
  return {
    schemaVersion: 2,
    mediaType,
    ...listed,
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}
