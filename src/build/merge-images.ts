import { type DockerConfig, type Environment, parseGoBool, readRegistrySettings } from "../config/index.js";
import { type EventSink, withVertex } from "../core/index.js";
import {
  type CredentialsCallback,
  type Descriptor,
  type ImageReference,
  RegistryClient,
  callbackCredentials,
  dockerCredentials,
  encodeIndex,
  isIndexType,
  isManifestType,
  mediaTypes,
  parseDocument,
  parseManifest,
  parseReference,
  withDefaultTag,
} from "../registry/index.js";

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
    const index = formatIndex(lists.flat(), attrs);
    let pushed = "";
    for (const reference of references)
      pushed = (await client.putManifest(reference, index, { signal })).digest;
    return pushed;
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
  const { architecture, os, variant } = parseDocument(config, `${domain}/${path}@${manifest.config.digest}`);
  if (typeof architecture !== "string" || typeof os !== "string" || !architecture || !os) return [descriptor];
  const more = typeof variant === "string" && variant ? { variant } : {};
  return [{ ...descriptor, platform: { architecture, os, ...more } }];
}

/** The index's text, byte by byte as buildx writes it, so that both give an image the same digest. */
function formatIndex(manifests: readonly Descriptor[], attrs: Readonly<Record<string, string>>) {
  const annotations = withPrefix(attrs, "annotation-index.");
  const descriptorAnnotations = Object.entries(attrs).flatMap(([key, value]) => {
    const match = /^annotation-manifest-descriptor(?:\[(.+?)\])?\.(.+)$/s.exec(key);
    return match ? [{ platform: match[1], key: match[2] ?? "", value }] : [];
  });
  const unique = new Map(manifests.map((one) => [one.digest, one]));
  const isOci = [...unique.values()].some(
    ({ mediaType }) => mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.ociIndex,
  );
  const mediaType = isOci ? mediaTypes.ociIndex : mediaTypes.dockerList;
  const listed = [...unique.values()].filter(isKnown).map((one) => {
    const own = descriptorAnnotations
      .filter(({ platform }) => platform === undefined || platform === platformText(one))
      .map(({ key, value }) => [key, value] as const);
    return { ...one, annotations: { ...one.annotations, ...Object.fromEntries(own) } };
  });
  const { content } = encodeIndex({ mediaType, manifests: listed, annotations });
  return { mediaType, content };
}

function isKnown({ mediaType }: Descriptor): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}

function platformText({ platform }: Descriptor): string {
  return platform ? [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/") : "";
}

function withPrefix(attrs: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  const own = Object.entries(attrs).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}
