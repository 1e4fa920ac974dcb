import type { JsonObject } from "../../config/index.js";
import {
  type Descriptor,
  type Manifest,
  RegistryError,
  maxManifestBytes,
  parseDocument,
  parseManifest,
} from "../../registry/index.js";
import type { ImageLocation } from "../image-tools/image-location.js";
import { type ImageStore, collectBlob } from "../image-tools/image-store.js";
import { compareJson } from "./compare-json.js";
import { type LayerBlob, compareLayers } from "./compare-layers.js";
import { type CompareReport, descriptorMismatch, mismatch } from "./compare-report.js";
import type { ReplayDifference } from "./difference.js";

/** An image's manifest, and where it is. */
export interface ImageSide {
  store: ImageStore;
  location: ImageLocation;
  descriptor: Descriptor;
}

/** In what two images differ, for programs, and as the report that is written. */
export interface ImageComparison {
  differences: ReplayDifference[];
  report: CompareReport;
}

interface ReadSide {
  manifest: Extract<Manifest, { kind: "manifest" }>;
  config: JsonObject;
}

/**
 * Compares two images part by part: manifest, configuration, layers, and the files of layers that differ. The tree of the report is that
 * of buildx (replay/verify_compare.go), with the files below.
 */
export async function compareImages(
  expected: ImageSide,
  actual: ImageSide,
  signal: AbortSignal | undefined,
): Promise<ImageComparison> {
  const root: CompareReport = { context: "root" };
  const differences: ReplayDifference[] = [];
  if (expected.descriptor.digest === actual.descriptor.digest) return { differences, report: root };
  const [a, b] = [await readSide(expected, signal), await readSide(actual, signal)];
  root.children = [descriptorMismatch(expected.descriptor, actual.descriptor)];
  differences.push(...manifestDifferences(a.manifest, b.manifest));
  if (a.manifest.config.digest !== b.manifest.config.digest) {
    const fields = compareJson(a.config, b.config);
    root.children.push({
      ...mismatch(
        "ConfigBlobMismatch",
        "manifest/config",
        `config digest mismatch: ${a.manifest.config.digest} vs ${b.manifest.config.digest}`,
        [{ manifest: a.manifest }, { manifest: b.manifest }],
      ),
      files: fields.map((field) => ({ ...field, field: "value" })),
    });
    differences.push(...fields.map((field) => ({ part: "config" as const, field: "value", ...field })));
  }
  const layers = await layerDifferences({ a, b, expected, actual, signal });
  root.children.push(...layers.reports);
  differences.push(...layers.differences);
  return { differences, report: root };
}

async function readSide({ store, location, descriptor }: ImageSide, signal?: AbortSignal): Promise<ReadSide> {
  const { content } = await store.readManifest(location, descriptor.digest, { signal });
  const manifest = parseManifest(content, undefined, descriptor.digest);
  if (manifest.kind !== "manifest")
    throw new RegistryError("REGISTRY_PROTOCOL", `${descriptor.digest} is no image manifest`);
  const { config } = manifest;
  if (config.size > maxManifestBytes)
    throw new RegistryError("REGISTRY_PROTOCOL", `${config.digest} is longer than ${maxManifestBytes} bytes`);
  const bytes = await collectBlob(store.readBlob(location, config, { signal }));
  return { manifest, config: parseDocument(bytes, config.digest) };
}

function manifestDifferences(a: ReadSide["manifest"], b: ReadSide["manifest"]): ReplayDifference[] {
  const found: ReplayDifference[] = [];
  if (a.mediaType !== b.mediaType)
    found.push({ part: "manifest", field: "mediaType", expected: a.mediaType, actual: b.mediaType });
  const annotations = compareJson(a.annotations, b.annotations);
  found.push(
    ...annotations.map(({ path, ...values }) => ({
      part: "manifest" as const,
      path: `annotations.${path}`,
      field: "value",
      ...values,
    })),
  );
  return found;
}

interface Sides {
  a: ReadSide;
  b: ReadSide;
  expected: ImageSide;
  actual: ImageSide;
  signal: AbortSignal | undefined;
}

async function layerDifferences({ a, b, expected, actual, signal }: Sides) {
  const [mine, theirs] = [a.manifest.layers, b.manifest.layers];
  const differences: ReplayDifference[] = [];
  const reports: CompareReport[] = [];
  if (mine.length !== theirs.length) {
    differences.push({
      part: "manifest",
      path: "layers",
      field: "count",
      expected: String(mine.length),
      actual: String(theirs.length),
    });
    reports.push(
      mismatch(
        "LayerBlobMismatch",
        "manifest/layers",
        `layer count mismatch: ${mine.length} vs ${theirs.length}`,
        [{ manifest: a.manifest }, { manifest: b.manifest }],
      ),
    );
    return { differences, reports };
  }
  const makers = makersOf(a);
  for (const [layer, before] of mine.entries()) {
    const after = theirs[layer];
    if (!after || before.digest === after.digest) continue;
    const files = await compareLayers(blobOf(expected, before, signal), blobOf(actual, after, signal));
    const createdBy = makers[layer];
    const about = { layer, ...(createdBy !== undefined && { createdBy }) };
    differences.push(
      ...files.map((file) => ({
        part: file.path === undefined ? ("layer" as const) : ("file" as const),
        ...about,
        ...file,
      })),
    );
    reports.push({
      ...mismatch(
        "LayerBlobMismatch",
        `manifest/layers[${layer}]`,
        `layer[${layer}] digest mismatch: ${before.digest} vs ${after.digest}`,
        [{ descriptor: before }, { descriptor: after }],
      ),
      files,
    });
  }
  return { differences, reports };
}

function blobOf({ store, location }: ImageSide, descriptor: Descriptor, signal?: AbortSignal): LayerBlob {
  return { descriptor, read: () => store.readBlob(location, descriptor, { signal }) };
}

/** The instruction of each layer, where the history fits the layers. */
function makersOf({ manifest, config }: ReadSide): (string | undefined)[] {
  const history = Array.isArray(config["history"]) ? (config["history"] as JsonObject[]) : [];
  const makers = history.filter((entry) => entry["empty_layer"] !== true).map((entry) => entry["created_by"]);
  if (makers.length !== manifest.layers.length) return [];
  return makers.map((text) => (typeof text === "string" ? text : undefined));
}
