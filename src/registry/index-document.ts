import { type JsonObject, goJson, isJsonObject } from "../config/index.js";
import { parseJson } from "../core/index.js";
import { type Descriptor } from "./descriptor.js";
import { digestOf } from "./digest.js";
import type { StoredManifest } from "./registry-client.js";
import { RegistryError } from "./registry-error.js";

/** An index that is made here. */
export interface IndexDocument {
  mediaType: string;
  manifests: readonly Descriptor[];
  annotations?: Readonly<Record<string, string>>;
  artifactType?: string;
  subject?: Descriptor;
}

/** An index as the bytes that buildx makes of it, so that the same sources give the same digest. */
export function encodeIndex(index: IndexDocument): StoredManifest {
  const { mediaType, manifests, annotations = {}, artifactType, subject } = index;
  const text = goJson({
    schemaVersion: 2,
    mediaType,
    ...(artifactType && { artifactType }),
    manifests: manifests.map(descriptorJson),
    ...(subject && { subject: descriptorJson(subject) }),
    ...(Object.keys(annotations).length > 0 && { annotations: sorted(annotations) }),
  });
  const content = Buffer.from(text);
  return { descriptor: { mediaType, digest: digestOf(content), size: content.length }, content };
}

/** A descriptor with its fields in the order of Go's struct, and no others (OCI image-spec specs-go/v1). */
export function descriptorJson(descriptor: Descriptor): object {
  const { mediaType, digest, size, urls, annotations, data, platform, artifactType } = descriptor;
  return {
    mediaType,
    digest,
    size,
    ...(urls && urls.length > 0 && { urls }),
    ...(annotations && Object.keys(annotations).length > 0 && { annotations: sorted(annotations) }),
    ...(data && { data }),
    ...(platform && { platform: platformJson(platform) }),
    ...(artifactType && { artifactType }),
  };
}

function platformJson(platform: NonNullable<Descriptor["platform"]>): object {
  const version = platform["os.version"];
  const features = platform["os.features"] ?? [];
  return {
    architecture: platform.architecture,
    os: platform.os,
    ...(version && { "os.version": version }),
    ...(features.length > 0 && { "os.features": features }),
    ...(platform.variant && { variant: platform.variant }),
  };
}

/** A JSON object out of bytes from outside. @throws RegistryError `REGISTRY_PROTOCOL` naming `what`. */
export function parseDocument(content: Buffer, what: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(content.toString());
  } catch (error) {
    throw new RegistryError("REGISTRY_PROTOCOL", `${what} is not JSON`, { cause: error });
  }
  if (!isJsonObject(value)) throw new RegistryError("REGISTRY_PROTOCOL", `${what} is not a JSON object`);
  return value;
}

function sorted(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
