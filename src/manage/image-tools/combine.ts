import { formatPlatform, normalizePlatform } from "../../builder/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import {
  type Descriptor,
  type Platform,
  RegistryError,
  type StoredManifest,
  isIndexType,
  isManifestType,
  maxManifestBytes,
  mediaTypes,
  parseManifest,
  encodeIndex,
  parseDocument,
} from "../../registry/index.js";
import type { ImageAnnotation } from "./annotations.js";
import { listedManifests } from "./documents.js";
import { formatImageLocation } from "./image-location.js";
import type { ImageSource } from "./image-sources.js";
import { collectBlob } from "./image-store.js";
import type { ImageStores } from "./open-stores.js";

/** Options of {@link combineSources}. */
export interface CombineOptions {
  annotations: readonly ImageAnnotation[];
  /** Make an index of a single manifest as well. */
  preferIndex: boolean;
  /** Told of annotations that have no place to go to. */
  onWarning?: ((text: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** One image made of sources. */
export interface CombinedImage extends StoredManifest {
  /** Where what the index lists comes from, by digest; undefined for an image that is a single manifest. */
  sources?: ReadonlyMap<string, ImageSource>;
}

/**
 * Makes one image of sources: a single index as it is, else a new index of all manifests, each once (buildx v0.36
 * util/imagetools/create.go combine).
 *
 * @throws RegistryError for a source that is no image; InvalidArgumentError for an annotation that cannot be.
 */
export async function combineSources(
  stores: ImageStores,
  sources: readonly ImageSource[],
  options: CombineOptions,
): Promise<CombinedImage> {
  const { annotations, preferIndex, signal } = options;
  const read = await Promise.all(sources.map((source) => readSource(stores, source, signal)));
  const [first] = read;
  if (first && read.length === 1 && annotations.length === 0) {
    const { source, content } = first;
    const { descriptor } = source;
    if (isIndexType(descriptor.mediaType))
      return { descriptor, content, sources: new Map([[descriptor.digest, source]]) };
    if (!preferIndex) return { descriptor, content };
  }
  const listed = new Map<string, Descriptor>();
  const from = new Map<string, ImageSource>();
  for (const { source, content } of read) {
    const { descriptor } = source;
    const entries = isIndexType(descriptor.mediaType)
      ? listedManifests(content, descriptor.digest)
      : [descriptor];
    for (const entry of entries) {
      listed.set(entry.digest, merge(listed.get(entry.digest), entry));
      from.set(entry.digest, source);
    }
  }
  const manifests = [...listed.values()];
  const isDocker = manifests.every(({ mediaType }) => mediaType.startsWith("application/vnd.docker."));
  if (isDocker) {
    if (annotations.length > 0)
      options.onWarning?.("annotations are left out: all sources are of Docker's types, whose list has none");
    return { ...encodeIndex({ mediaType: mediaTypes.dockerList, manifests }), sources: from };
  }
  return {
    ...encodeIndex({
      mediaType: mediaTypes.ociIndex,
      ...annotate(manifests, annotations, options.onWarning),
    }),
    sources: from,
  };
}

/** A manifest that was listed before gets what the later entry knows. */
function merge(known: Descriptor | undefined, entry: Descriptor): Descriptor {
  if (!known) return entry;
  const annotations = { ...known.annotations, ...entry.annotations };
  return {
    ...entry,
    ...known,
    ...(entry.platform && { platform: entry.platform }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}

async function readSource(
  stores: ImageStores,
  { location, descriptor }: ImageSource,
  signal: AbortSignal | undefined,
): Promise<{ source: ImageSource; content: Buffer }> {
  const store = stores.of(location);
  const { content } = await store.readManifest(location, descriptor.digest, { signal });
  const what = `${formatImageLocation(location)}@${descriptor.digest}`;
  const manifest = parseManifest(content, undefined, what);
  const mediaType = descriptor.mediaType || manifest.mediaType;
  if (!isIndexType(mediaType) && !isManifestType(mediaType))
    throw new RegistryError("REGISTRY_PROTOCOL", `${what} has media type ${mediaType}, which is no image's`);
  const plain = { ...descriptor, mediaType };
  if (manifest.kind === "index") return { source: { location, descriptor: plain }, content };
  const given = descriptor.platform;
  const platform =
    given?.os && given.architecture
      ? given
      : withDefaults(given, await readPlatform(stores, location, manifest.config, signal));
  return { source: { location, descriptor: { ...plain, platform } }, content };
}

async function readPlatform(
  stores: ImageStores,
  location: ImageSource["location"],
  config: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Platform> {
  if (config.size > maxManifestBytes)
    throw new RegistryError("REGISTRY_PROTOCOL", `${config.digest} is longer than ${maxManifestBytes} bytes`);
  const content = await collectBlob(stores.of(location).readBlob(location, config, { signal }));
  const value = parseDocument(content, `${formatImageLocation(location)}: ${config.digest}`);
  const text = (name: string) => {
    const found = value[name];
    return typeof found === "string" ? found : "";
  };
  // What names no platform, as an artifact's config, stays without.
  if (text("os") === "" && text("architecture") === "") return { os: "", architecture: "" };
  const variant = text("variant");
  const normal = normalizePlatform({
    os: text("os"),
    architecture: text("architecture"),
    ...(variant && { variant }),
  });
  return {
    os: normal.os,
    architecture: normal.architecture,
    ...(normal.variant && { variant: normal.variant }),
  };
}

function withDefaults(given: Platform | undefined, found: Platform): Platform {
  const isOwn = !given?.architecture;
  const variant = given?.variant ?? (isOwn ? found.variant : undefined);
  return {
    ...given,
    architecture: given?.architecture || found.architecture,
    os: given?.os || found.os,
    ...(variant && { variant }),
  };
}

function annotate(
  manifests: readonly Descriptor[],
  annotations: readonly ImageAnnotation[],
  onWarning: ((text: string) => void) | undefined,
) {
  // Keys are from outside: `__proto__` is one like any other.
  const own = Object.create(null) as Record<string, string>;
  const entries = manifests.map((entry) => ({ ...entry }));
  for (const { type, platform, key, value } of annotations) {
    if (type === "index") own[key] = value;
    else if (type === "manifest-descriptor") {
      const chosen = entries.filter((entry) => platform === undefined || platformText(entry) === platform);
      for (const entry of chosen) entry.annotations = { ...entry.annotations, [key]: value };
      if (chosen.length === 0)
        onWarning?.(`annotation ${key} is left out: no manifest is for platform ${platform ?? ""}`);
    } else if (type === "index-descriptor")
      throw new InvalidArgumentError(
        `${JSON.stringify(type)} annotations are invalid while creating an image`,
      );
    else throw new InvalidArgumentError(`${JSON.stringify(type)} annotations are not supported yet`);
  }
  return { manifests: entries, annotations: own };
}

function platformText({ platform }: Descriptor): string {
  return platform ? formatPlatform(platform) : "";
}
