import { type JoinAnnotations, configPlatform, joinManifests } from "../../build/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import {
  type Descriptor,
  type Platform,
  RegistryError,
  type StoredManifest,
  isIndexType,
  isManifestType,
  maxManifestBytes,
  parseManifest,
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
  const listed: Descriptor[] = [];
  const from = new Map<string, ImageSource>();
  for (const { source, content } of read) {
    const { descriptor } = source;
    const entries = isIndexType(descriptor.mediaType)
      ? listedManifests(content, descriptor.digest)
      : [descriptor];
    for (const entry of entries) {
      listed.push(entry);
      from.set(entry.digest, source);
    }
  }
  return { ...joinManifests(listed, placed(annotations), options.onWarning), sources: from };
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
  return configPlatform(value) ?? { os: "", architecture: "" };
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

/** Where the annotations go. @throws InvalidArgumentError for one that an index has no place for. */
function placed(annotations: readonly ImageAnnotation[]): JoinAnnotations {
  const other = annotations.find(({ type }) => type !== "index" && type !== "manifest-descriptor");
  if (other) {
    const isKnown = other.type === "index-descriptor";
    const why = isKnown ? "are invalid while creating an image" : "are not supported yet";
    throw new InvalidArgumentError(`${JSON.stringify(other.type)} annotations ${why}`);
  }
  return {
    index: annotations.filter(({ type }) => type === "index"),
    descriptors: annotations.filter(({ type }) => type === "manifest-descriptor"),
  };
}
