import { clipText } from "../../core/index.js";
import { formatPlatformFully, parsePlatform } from "../../builder/index.js";
import type { DaemonClient } from "../../driver/index.js";
import { BuildkitError, readContent } from "../../buildkit/index.js";
import {
  type Descriptor,
  RegistryError,
  isIndexType,
  maxManifestBytes,
  parseManifest,
} from "../../registry/index.js";
import { HistoryError } from "./history-error.js";
import type { BuildRecord, RecordBlob } from "./build-record.js";

/** A blob that a build left behind, and what it is. */
export interface BuildAttachment extends RecordBlob {
  /** `linux/arm64`; absent for what is for no platform of its own. */
  platform?: string;
  /** The predicate of an attestation (`https://slsa.dev/provenance/v1`), else the media type. */
  type: string;
}

/** Blobs that are looked at for one build: many platforms with many attestations each stay well below. */
const mostBlobs = 2000;

interface WalkOptions {
  client: DaemonClient;
  blob: RecordBlob;
  platform: string | undefined;
  signal: AbortSignal | undefined;
}

const predicateType = "in-toto.io/predicate-type";

/**
 * Attestations, indexes and manifests of a build that its builder still has: without a platform first, then by platform and
 * type (buildx v0.36 commands/history/inspect.go allAttachments).
 */
export async function listAttachments(
  client: DaemonClient,
  { result, results }: BuildRecord,
  signal?: AbortSignal,
): Promise<BuildAttachment[]> {
  const found: BuildAttachment[] = [];
  const budget = { left: mostBlobs, seen: new Set<string>() };
  const places = Object.entries(results).map(([platform, blobs]) => [platformName(platform), blobs] as const);
  for (const [platform, blobs] of [...(result ? [[undefined, result] as const] : []), ...places]) {
    found.push(...blobs.attestations.map((blob) => attachment(blob, platform)));
    for (const blob of blobs.results) found.push(...(await walk({ client, blob, platform, signal }, budget)));
  }
  const key = ({ platform, type }: BuildAttachment) => `${platform ?? ""}\0${type}`;
  return found.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** A platform in its usual form. Frontends may name their results otherwise, too (gateway `refs.platforms`). */
function platformName(text: string): string {
  try {
    return formatPlatformFully(parsePlatform(text));
  } catch {
    return clipText(text, 200);
  }
}

function attachment(blob: RecordBlob, platform: string | undefined): BuildAttachment {
  const type = blob.annotations[predicateType] ?? blob.mediaType;
  return { ...blob, type, ...(platform !== undefined && { platform }) };
}

/** A result with what it lists, in the order found. What the builder no longer has is left out. */
async function walk(
  { client, blob, platform, signal }: WalkOptions,
  budget: { left: number; seen: Set<string> },
): Promise<BuildAttachment[]> {
  // An index may list one blob often, also itself, and each of many indexes all of the others.
  const key = `${platform ?? ""} ${blob.digest} ${blob.annotations["vnd.docker.reference.type"] ?? ""}`;
  if (budget.seen.has(key)) return [];
  budget.seen.add(key);
  if (budget.left-- === 0)
    throw new HistoryError(
      "HISTORY_TOO_LARGE",
      `the builder lists more than ${mostBlobs} blobs for one build`,
    );
  if (!(await exists(client, blob.digest, signal))) return [];
  const isAttestation = blob.annotations["vnd.docker.reference.type"] === "attestation-manifest";
  const found = isAttestation ? [] : [attachment(blob, platform)];
  if (!isIndexType(blob.mediaType)) return found;
  for (const entry of await readIndex(client, blob.digest, signal))
    found.push(
      ...(await walk({ client, blob: entry, platform: entry.platform ?? platform, signal }, budget)),
    );
  return found;
}

async function readIndex(client: DaemonClient, digest: string, signal: AbortSignal | undefined) {
  const content = await readContent(client, digest, { limit: maxManifestBytes, signal });
  return listedIn(content, digest).map(({ mediaType, digest, size, annotations = {}, platform }) => ({
    mediaType,
    digest,
    size,
    annotations,
    platform: platform && formatPlatformFully(fromImagePlatform(platform)),
  }));
}

/** What an index lists; nothing where a hostile builder named something else an index. */
function listedIn(content: Buffer, digest: string): Descriptor[] {
  try {
    const parsed = parseManifest(content, undefined, digest);
    return parsed.kind === "index" ? parsed.manifests : [];
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return [];
  }
}

function fromImagePlatform({
  os,
  architecture,
  variant,
}: {
  os: string;
  architecture: string;
  variant?: string;
}) {
  return { os, architecture, ...(variant && { variant }) };
}

async function exists(
  client: DaemonClient,
  digest: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await client.content.info({ digest }, { ...(signal && { signal }) });
    return true;
  } catch (error) {
    if (error instanceof BuildkitError && error.code === "BUILDKIT_STATUS") return false;
    throw error;
  }
}
