import { normalizePlatform, formatPlatform } from "../builder/index.js";
import type { JsonObject } from "../config/index.js";
import {
  type Descriptor,
  type Platform,
  type StoredManifest,
  encodeIndex,
  mediaTypes,
} from "../registry/index.js";

/** Annotations of a joined image. */
export interface JoinAnnotations {
  /** Of the index. */
  index: readonly { key: string; value: string }[];
  /** Of what the index lists: all of it, or what is for one platform. */
  descriptors: readonly { platform?: string | undefined; key: string; value: string }[];
}

/**
 * One index of manifests from several sources, each once (buildx v0.36 util/imagetools/create.go combine). The index is of
 * Docker's type only where all that it lists is; that type has no annotations.
 *
 * @param onWarning is told of annotations that have no place to go to
 */
export function joinManifests(
  listed: Iterable<Descriptor>,
  { index, descriptors }: JoinAnnotations,
  onWarning?: (text: string) => void,
): StoredManifest {
  const byDigest = new Map<string, Descriptor>();
  for (const entry of listed) byDigest.set(entry.digest, merged(byDigest.get(entry.digest), entry));
  const manifests = [...byDigest.values()];
  if (manifests.every(({ mediaType }) => mediaType.startsWith("application/vnd.docker."))) {
    if (index.length + descriptors.length > 0)
      onWarning?.("annotations are left out: all sources are of Docker's types, whose list has none");
    return encodeIndex({ mediaType: mediaTypes.dockerList, manifests });
  }
  for (const { platform, key, value } of descriptors) {
    const isMeant = (entry: Descriptor) => platform === undefined || textOf(entry.platform) === platform;
    if (!manifests.some(isMeant))
      onWarning?.(`annotation ${key} is left out: no manifest is for platform ${platform ?? ""}`);
    for (const [at, entry] of manifests.entries())
      if (isMeant(entry)) manifests[at] = { ...entry, annotations: { ...entry.annotations, [key]: value } };
  }
  // Keys are from outside: `__proto__` is one like any other.
  const annotations = Object.create(null) as Record<string, string>;
  for (const { key, value } of index) annotations[key] = value;
  return encodeIndex({ mediaType: mediaTypes.ociIndex, manifests, annotations });
}

/** A manifest that was listed before gets what the later entry knows. */
function merged(known: Descriptor | undefined, entry: Descriptor): Descriptor {
  if (!known) return entry;
  const annotations = { ...known.annotations, ...entry.annotations };
  return {
    ...entry,
    ...known,
    ...(entry.platform && { platform: entry.platform }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}

function textOf(platform: Platform | undefined): string {
  return platform ? formatPlatform(platform) : "";
}

/** The platform that an image's configuration names, if it does; an artifact's names none. */
export function configPlatform(config: JsonObject): Platform | undefined {
  const text = (name: string) => (typeof config[name] === "string" ? config[name] : "");
  const [os, architecture, variant] = [text("os"), text("architecture"), text("variant")];
  if (os === "" && architecture === "") return undefined;
  const normal = normalizePlatform({ os, architecture, ...(variant && { variant }) });
  return {
    os: normal.os,
    architecture: normal.architecture,
    ...(normal.variant && { variant: normal.variant }),
  };
}
