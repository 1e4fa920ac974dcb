import { type DockerConfig, type Environment, parseGoBool, readRegistrySettings } from "../config/index.js";
import { type EventSink, withVertex } from "../core/index.js";
import {
  type CredentialsCallback,
  type Descriptor,
  type ImageReference,
  RegistryClient,
  callbackCredentials,
  dockerCredentials,
  isIndexType,
  isManifestType,
  parseDocument,
  parseManifest,
  parseReference,
  withDefaultTag,
} from "../registry/index.js";
import { type JoinAnnotations, configPlatform, joinManifests } from "./join-manifests.js";

/** What {@link mergeImages} needs. */
export interface MergeImagesOptions {
  /** Names of the joined image. */
  names: readonly string[];
  /** What the nodes pushed, without a tag, to the repositories of all names. */
  digests: readonly string[];
  /** Attributes of the export: annotations, and how the registry is spoken to. */
  attrs: Readonly<Record<string, string>>;
  /** The builder's configuration: its registries are ours. */
  files: ReadonlyMap<string, Uint8Array>;
  credentials?: CredentialsCallback | undefined;
  env: Environment;
  dockerConfig: DockerConfig;
  sink?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Joins the images that several nodes pushed into one index, and pushes it under each name (buildx v0.36 build/build.go,
 * util/imagetools Combine). Gives the index's digest.
 *
 * @throws RegistryError what the registry refused; the nodes' images stay, without a tag.
 */
export async function mergeImages(options: MergeImagesOptions): Promise<string> {
  const { names, digests, attrs, env, dockerConfig, sink, signal } = options;
  const references = names.map((name) => withDefaultTag(parseReference(name)));
  const [source] = references as [ImageReference];
  const settings = await readRegistrySettings(options.files);
  if (parseGoBool(attrs["registry.insecure"] ?? "") === true) {
    const known = settings.get(source.domain) ?? { mirrors: [], ca: [], keyPairs: [] };
    settings.set(source.domain, { ...known, insecure: true, http: true });
  }
  const onWarning = (text: string) => sink?.({ type: "message", level: "warning", text });
  const stored = dockerCredentials({ env, config: dockerConfig, onWarning });
  const credentials = options.credentials ? callbackCredentials(options.credentials, stored) : stored;
  await using client = new RegistryClient({ env, credentials, settings });
  return await withVertex(sink, `merging manifest list ${names.join(",")}`, async () => {
    const lists = await Promise.all(digests.map((digest) => manifestsOf(client, source, digest, signal)));
    const joined = joinManifests(lists.flat().filter(isKnown), annotationsOf(attrs), onWarning);
    const { mediaType } = joined.descriptor;
    for (const reference of references)
      await client.putManifest(reference, { mediaType, content: joined.content }, { signal });
    return joined.descriptor.digest;
  });
}

/** The manifests of an index, or the one manifest with the platform that its configuration names. */
async function manifestsOf(
  client: RegistryClient,
  { domain, path }: ImageReference,
  digest: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor[]> {
  const { descriptor, content } = await client.getManifest({ domain, path, digest }, { signal });
  const manifest = parseManifest(content, descriptor.mediaType, `${domain}/${path}@${digest}`);
  if (manifest.kind === "index") return manifest.manifests;
  const config = await client.readBlob({ domain, path }, manifest.config, { signal });
  const platform = configPlatform(parseDocument(config, `${domain}/${path}@${manifest.config.digest}`));
  return [{ ...descriptor, ...(platform && { platform }) }];
}

/** The annotations among the attributes of an export (BuildKit docs/annotations.md). */
function annotationsOf(attrs: Readonly<Record<string, string>>): JoinAnnotations {
  const found = Object.entries(attrs).flatMap(([attr, value]) => {
    const [, type, platform, key = ""] =
      /^annotation-(index|manifest-descriptor)(?:\[(.+?)\])?\.(.+)$/s.exec(attr) ?? [];
    return type === undefined ? [] : [{ type, platform, key, value }];
  });
  return {
    index: found.filter(({ type, platform }) => type === "index" && platform === undefined),
    descriptors: found.filter(({ type }) => type === "manifest-descriptor"),
  };
}

function isKnown({ mediaType }: Descriptor): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}
