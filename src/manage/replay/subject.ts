import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { type Platform, normalizePlatform } from "../../builder/index.js";
import { InvalidArgumentError, messageOf } from "../../core/index.js";
import { systemReason } from "../../fs/index.js";
import {
  type Descriptor,
  digestOf,
  isIndexType,
  isManifestType,
  parseManifest,
} from "../../registry/index.js";
import { type ImageLocation, parseImageLocation } from "../image-tools/image-location.js";
import type { ImageStores } from "../image-tools/open-stores.js";
import { replayErrors } from "./replay-error.js";
import { readStatementFile } from "./statement-file.js";
import type { VerifiedStatement, VerifySignature } from "./statement.js";

/** One thing that can be replayed: an image of one platform, or the provenance of one. */
export interface Subject {
  /** As it was given. */
  input: string;
  /** The image's manifest, with its platform where that is known; of a file its predicate. */
  descriptor: Descriptor;
  platform?: Platform;
  /** Where the image is; undefined for a file. */
  location?: ImageLocation;
  /** The manifest of its attestations. */
  attestation?: Descriptor;
  /** It was named itself, not through an index. */
  isManifest?: boolean;
  /** Of a file. */
  statement?: VerifiedStatement;
}

/** What {@link loadSubjects} works with. */
export interface SubjectOptions {
  stores: ImageStores;
  verify: VerifySignature | undefined;
  signal: AbortSignal | undefined;
}

const imagePrefix = "docker-image://";
const layoutPrefix = "oci-layout://";
/** What an index of the snapshots of `replay snapshot` says of itself (buildx v0.38 replay/snapshot_format.go). */
export const snapshotType = "application/vnd.docker.buildx.snapshots.v1+json";

/**
 * What a subject's text stands for: `docker-image://ref`, `oci-layout://path[:tag]`, a directory (a layout), a file (a statement), or a
 * bare reference. An index gives one subject a platform.
 *
 * @throws ReplayError, RegistryError; FileReadError for a file that cannot be read
 */
export async function loadSubjects(given: string, options: SubjectOptions): Promise<Subject[]> {
  const input = given.trim();
  if (input === "") throw new InvalidArgumentError("empty subject input");
  if (input.startsWith(imagePrefix) || input.startsWith(layoutPrefix)) return imageSubjects(input, options);
  const found = await stat(input).catch((error: unknown) => {
    if (!isPathLike(input)) return undefined;
    throw new InvalidArgumentError(`cannot read the subject ${input}: ${systemReason(error)}`, {
      cause: error,
    });
  });
  if (found?.isDirectory()) return imageSubjects(layoutPrefix + input, options);
  if (found) return [await fileSubject(input, options)];
  return imageSubjects(input, options);
}

/** Clearly meant as a file. */
function isPathLike(input: string): boolean {
  return isAbsolute(input) || /^\.\.?\//.test(input) || /\.jsonl?$/.test(input);
}

async function fileSubject(path: string, { verify, signal }: SubjectOptions): Promise<Subject> {
  const statement = await readStatementFile(path, { verify, signal });
  const predicate = Buffer.from(JSON.stringify(statement.predicate ?? null));
  return {
    input: path,
    descriptor: { mediaType: "application/json", digest: digestOf(predicate), size: predicate.length },
    statement,
  };
}

async function imageSubjects(given: string, { stores, signal }: SubjectOptions): Promise<Subject[]> {
  const input = given.startsWith(imagePrefix) ? given.slice(imagePrefix.length) : given;
  const location = locationOf(input);
  const store = stores.of(location);
  const root = await store.resolve(location, { signal });
  const { mediaType, digest } = root;
  if (isManifestType(mediaType)) return [{ input, descriptor: root, location, isManifest: true }];
  if (mediaType.startsWith("application/vnd.docker.distribution.manifest.v1+"))
    throw replayErrors.subject(`${input} is a legacy Docker schema1 image, which cannot carry provenance`);
  if (!isIndexType(mediaType))
    throw replayErrors.subject(`unsupported root media type ${JSON.stringify(mediaType)}`);
  const { content } = await store.readManifest(location, digest, { signal });
  const index = parseManifest(content, mediaType, digest);
  if (index.kind !== "index") throw replayErrors.subject(`${digest} is no index`);
  if (index.artifactType === snapshotType)
    throw replayErrors.subject(
      `${input} is a snapshot layout; it is read with --materials oci-layout://PATH, its subject is the image`,
    );
  return subjectsOf(index.manifests, { input, location, digest });
}

function locationOf(input: string): ImageLocation {
  try {
    return parseImageLocation(input);
  } catch (error) {
    if (input.startsWith(layoutPrefix)) throw error;
    throw new InvalidArgumentError(`invalid image reference ${JSON.stringify(input)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The images that an index lists, each with the manifest of its attestations. */
function subjectsOf(
  manifests: readonly Descriptor[],
  { input, location, digest }: { input: string; location: ImageLocation; digest: string },
): Subject[] {
  const attestations = new Map<string, Descriptor>();
  const images: Descriptor[] = [];
  for (const entry of manifests) {
    const subject = attested(entry);
    if (subject === undefined) images.push(entry);
    else if (!attestations.has(subject)) attestations.set(subject, entry);
  }
  if (images.length === 0) throw replayErrors.subject(`index ${digest} has no image manifests`);
  return images.map((descriptor) => {
    const attestation = attestations.get(descriptor.digest);
    const platform = descriptor.platform && normalizePlatform(descriptor.platform);
    return {
      input,
      descriptor,
      location,
      ...(platform && { platform }),
      ...(attestation && { attestation }),
    };
  });
}

/** The digest that an attestation manifest of BuildKit is about (docs/attestations/attestation-storage.md). */
function attested({ annotations }: Descriptor): string | undefined {
  return annotations?.["vnd.docker.reference.type"] === "attestation-manifest"
    ? annotations["vnd.docker.reference.digest"]
    : undefined;
}
