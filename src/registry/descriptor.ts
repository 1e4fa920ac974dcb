import { type JsonObject, isJsonObject } from "../config/index.js";
import { isDigest } from "./digest.js";

/** A platform as image indexes name it (OCI image-spec 1.1, image index). */
export interface Platform {
  architecture: string;
  os: string;
  "os.version"?: string;
  "os.features"?: string[];
  variant?: string;
}

/** Names a piece of content (OCI image-spec 1.1, descriptor). Field names are those of the JSON. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  /** Bytes. */
  size: number;
  annotations?: Record<string, string>;
  artifactType?: string;
  data?: string;
  platform?: Platform;
  urls?: string[];
}

/** Media types of manifests and indexes. */
export const mediaTypes = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
} as const;

/** True for the media type of an index or manifest list. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList;
}

/** True for the media type of an image manifest. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
}

/** A descriptor out of unknown JSON, undefined when it is none. Fields that are not known are kept. */
export function readDescriptor(value: unknown): Descriptor | undefined {
  if (!isJsonObject(value)) return undefined;
  const { mediaType, digest, size, annotations, artifactType, platform, urls } = value;
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  const valid =
    typeof mediaType === "string" &&
    typeof digest === "string" &&
    isDigest(digest) &&
    Number.isSafeInteger(size) &&
    (size as number) >= 0 &&
    isText(artifactType) &&
    isText(value["data"]) &&
    (annotations === undefined || annotations === null || isTextMap(annotations)) &&
    (platform === undefined || platform === null || isPlatform(platform)) &&
    (urls === undefined || urls === null || isTextList(urls));
  if (!valid) return undefined;
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== null),
  ) as unknown as Descriptor;
}

function isPlatform(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { architecture, os, variant } = value;
  return (
    [architecture, os, variant ?? "", value["os.version"] ?? ""].every((text) => typeof text === "string") &&
    isTextList(value["os.features"] ?? [])
  );
}

function isTextMap(value: unknown): value is JsonObject {
  return isJsonObject(value) && Object.values(value).every((text) => typeof text === "string");
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}
