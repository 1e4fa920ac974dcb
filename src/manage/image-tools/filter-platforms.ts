import { type Platform, formatPlatform, onlyStrict } from "../../builder/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { type Descriptor, isIndexType, parseManifest, encodeIndex } from "../../registry/index.js";
import type { CombinedImage } from "./combine.js";
import type { ImageSource } from "./image-sources.js";
import type { ImageStores } from "./open-stores.js";

/** Artifact type of BuildKit's attestations where they are referrers. */
const attestationType = "application/vnd.docker.attestation.manifest.v1+json";
const referenceType = "vnd.docker.reference.type";
const referenceDigest = "vnd.docker.reference.digest";

/** What is to be copied, and from where. */
export interface ImagePart {
  descriptor: Descriptor;
  source: ImageSource;
}

/** An image, and the parts it needs. */
export interface FilteredImage extends Omit<CombinedImage, "sources"> {
  /** Undefined for a single manifest, which is the only part. */
  parts?: ImagePart[];
}

/**
 * Leaves out of an index what is for other platforms; attestations stay with what they attest. Attestations that are only
 * referrers of a manifest come into the index (buildx v0.36 util/imagetools/create.go filterPlatforms). No platforms: all.
 *
 * @throws InvalidArgumentError when nothing is left.
 */
export async function filterPlatforms(
  stores: ImageStores,
  image: CombinedImage,
  platforms: readonly Platform[],
  signal?: AbortSignal,
): Promise<FilteredImage> {
  const matchers = platforms.map(onlyStrict);
  const isWanted = (platform: Descriptor["platform"]) =>
    matchers.length === 0 || (platform !== undefined && matchers.some((one) => one.matches(platform)));
  const { descriptor, content, sources } = image;
  if (!sources || !isIndexType(descriptor.mediaType)) {
    const { platform } = descriptor;
    if (!platform?.os && matchers.length > 0)
      throw new InvalidArgumentError("cannot filter platforms from a manifest without platform information");
    if (!isWanted(platform))
      throw new InvalidArgumentError(
        `input platform ${platform ? formatPlatform(platform) : ""} does not match any of the provided platforms`,
      );
    return { descriptor, content };
  }
  const index = parseManifest(content, undefined, descriptor.digest);
  if (index.kind !== "index") return { descriptor, content };
  const byDigest = new Map(index.manifests.map((entry) => [entry.digest, entry]));
  /** Attestations in the index, with the digest of what they attest. */
  const references = new Map<string, string>();
  for (const { digest, annotations = {} } of index.manifests) {
    const subject = byDigest.get(annotations[referenceDigest] ?? "");
    if (annotations[referenceType] !== "attestation-manifest" || !subject) continue;
    if (!subject.platform || isWanted(subject.platform)) references.set(digest, subject.digest);
  }
  const isKept = (entry: Descriptor) => !entry.platform || isWanted(entry.platform);
  const kept = index.manifests.filter((entry) => references.has(entry.digest) || isKept(entry));
  if (kept.length === 0) throw new InvalidArgumentError("none of the manifests match the provided platforms");
  const parts = kept.map((entry) => ({
    descriptor: entry,
    source: sources.get(entry.digest) ?? (sources.get(descriptor.digest) as ImageSource),
  }));
  const attested = new Set(references.values());
  const bare = parts.filter(
    (part) =>
      isKept(part.descriptor) &&
      !references.has(part.descriptor.digest) &&
      !attested.has(part.descriptor.digest),
  );
  const added = (await Promise.all(bare.map((part) => attestationOf(stores, part, signal)))).flatMap(
    (found) => found ?? [],
  );
  const fresh = added.filter(({ descriptor: { digest } }) => !references.has(digest));
  if (kept.length === index.manifests.length && fresh.length === 0) return { descriptor, content, parts };
  const manifests = [...kept, ...fresh.map((part) => part.descriptor)];
  const made = encodeIndex({ ...index, mediaType: descriptor.mediaType, manifests });
  const { annotations } = descriptor;
  return {
    content: made.content,
    descriptor: { ...made.descriptor, ...(annotations && { annotations }) },
    // The attestation itself is copied as a referrer of its subject.
    parts,
  };
}

/** The attestation of a manifest that only refers to it, as an index lists it. */
async function attestationOf(
  stores: ImageStores,
  { descriptor, source }: ImagePart,
  signal: AbortSignal | undefined,
): Promise<ImagePart | undefined> {
  const { location } = source;
  const referrers = await stores.of(location).referrers(location, descriptor.digest, { signal });
  const found = referrers.find(({ artifactType }) => artifactType === attestationType);
  if (!found) return undefined;
  const { artifactType: _type, ...rest } = found;
  return {
    descriptor: {
      ...rest,
      platform: { os: "unknown", architecture: "unknown" },
      annotations: {
        ...rest.annotations,
        [referenceType]: "attestation-manifest",
        [referenceDigest]: descriptor.digest,
      },
    },
    source,
  };
}
