import { parseJson } from "../core/index.js";
import { isJsonObject } from "../config/index.js";
import { type Descriptor, isIndexType, isManifestType, mediaTypes, readDescriptor } from "./descriptor.js";
import { RegistryError } from "./registry-error.js";

/** Longest manifest, index or image configuration that is read, bytes (SEC-34; registries have the same limit). */
export const maxManifestBytes = 4 * 1024 * 1024;

/** A parsed index or image manifest. */
export type Manifest =
  | {
      kind: "index";
      mediaType: string;
      manifests: Descriptor[];
      annotations: Record<string, string>;
      artifactType?: string;
      subject?: Descriptor;
    }
  | {
      kind: "manifest";
      mediaType: string;
      config: Descriptor;
      layers: Descriptor[];
      annotations: Record<string, string>;
      artifactType?: string;
      subject?: Descriptor;
    };

/** The media type that a document has inside and by what it was announced as, and that fits what it holds. */
function agreedType(
  said: { inside: string | undefined; announced: string | undefined; isIndex: boolean },
  wrong: (problem: string) => RegistryError,
): string {
  const { inside, announced, isIndex } = said;
  const type = inside ?? announced ?? (isIndex ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  if (announced !== undefined && announced !== type)
    throw wrong(`has media type ${type} where ${announced} was announced`);
  if (!(isIndex ? isIndexType(type) : isManifestType(type)))
    throw wrong(`has media type ${type}, but ${isIndex ? "lists manifests" : "has layers"}`);
  return type;
}

/**
 * Parses an index or a manifest. `mediaType` is what the registry or a descriptor says it is; a media type inside must
 * agree, and what looks like both is refused, since different readers would take it for different things (SEC-34,
 * CVE-2021-41190).
 *
 * @throws RegistryError `REGISTRY_PROTOCOL` naming `what`.
 */
export function parseManifest(content: Buffer, mediaType: string | undefined, what: string): Manifest {
  const wrong = (problem: string) => new RegistryError("REGISTRY_PROTOCOL", `${what} ${problem}`);
  if (content.length > maxManifestBytes) throw wrong(`is longer than ${maxManifestBytes} bytes`);
  let value: unknown;
  try {
    value = parseJson(content.toString("utf8"));
  } catch (error) {
    throw new RegistryError("REGISTRY_PROTOCOL", `${what} is not JSON`, { cause: error });
  }
  if (!isJsonObject(value)) throw wrong("is not a JSON object");
  const { manifests, layers, config, annotations, artifactType, subject } = value;
  if (manifests !== undefined && (layers !== undefined || config !== undefined)) {
    throw wrong("is both an index and a manifest");
  }
  if (value["fsLayers"] !== undefined || value["schemaVersion"] === 1) {
    throw wrong("has the obsolete schema version 1");
  }
  const isIndex = manifests !== undefined;
  const inside = typeof value["mediaType"] === "string" ? value["mediaType"] : undefined;
  const type = agreedType({ inside, announced: mediaType, isIndex }, wrong);
  const common = {
    mediaType: type,
    annotations: isJsonObject(annotations) ? (annotations as Record<string, string>) : {},
    ...(typeof artifactType === "string" && { artifactType }),
    ...(isJsonObject(subject) && { subject: descriptor(subject, "subject", wrong) }),
  };
  if (isIndex) {
    return { kind: "index", ...common, manifests: descriptors(manifests, "manifests", wrong) };
  }
  return {
    kind: "manifest",
    ...common,
    config: descriptor(config, "config", wrong),
    layers: descriptors(layers, "layers", wrong),
  };
}

type Wrong = (problem: string) => RegistryError;

function descriptors(value: unknown, name: string, wrong: Wrong): Descriptor[] {
  if (!Array.isArray(value)) throw wrong(`has no list of ${name}`);
  return value.map((item) => descriptor(item, name, wrong));
}

function descriptor(value: unknown, name: string, wrong: Wrong): Descriptor {
  const found = readDescriptor(value);
  if (!found) throw wrong(`has a malformed descriptor in ${name}`);
  return found;
}
