import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Manifest, parseManifest } from "../../registry/index.js";
import type { ImageStores } from "../image-tools/open-stores.js";
import { type ImageComparison, type ImageSide, compareImages } from "./compare-images.js";
import { describeDifference } from "./difference.js";
import { ReplayError, replayErrors } from "./replay-error.js";
import type { ReplayOptions } from "./replay-options.js";
import { type ReplayTarget, openSubjectStores, readTarget, withoutEnd } from "./replay-target.js";
import { checkTarget, runReplay } from "./run-replay.js";
import type { VerifyReplayOptions, VerifyReplayResult } from "./verify-options.js";
import { type VerificationFiles, prepareVerificationFiles, summary } from "./vsa.js";

/** Attributes of an exporter. */
type Attrs = Record<string, string>;

/** See `verifyReplay()`. */
export async function verifySubject(input: string, given: VerifyReplayOptions): Promise<VerifyReplayResult> {
  const { compare = "digest", output, mismatch = "error", signal } = given;
  const options = replayOptions(given);
  await using stores = await openSubjectStores(options);
  const target = await readTarget(input, options, stores);
  if (!target.subject.location)
    throw replayErrors.unsupportedSubject("verify requires an image or oci-layout subject");
  checkTarget(target, options);
  const files = output === undefined ? undefined : await prepareVerificationFiles(output, compare, signal);
  const found = await compared(target, { ...given, compare, options, stores });
  return await settled(target, { compare, mismatch, ...found }, files);
}

/** The options of the replay itself. */
function replayOptions(given: VerifyReplayOptions): ReplayOptions {
  const { compare: _, noCache: __, output: ___, mismatch: ____, onEvent, ...options } = given;
  return { ...options, ...(onEvent && { onEvent: withoutEnd(onEvent) }) };
}

interface Comparing extends VerifyReplayOptions {
  compare: "digest" | "artifact";
  options: ReplayOptions;
  stores: ImageStores;
}

interface Compared {
  replayDigest: string;
  comparison?: ImageComparison;
}

/**
 * Builds, and lets the builder tell the digest: nothing is transferred unless that differs and the parts are to be compared. How the
 * subject was exported is not in its provenance, so what it shows of itself is taken for it.
 */
async function compared(target: ReplayTarget, comparing: Comparing): Promise<Compared> {
  const { options, compare, noCache = false, stores, signal } = comparing;
  const { subject } = target;
  const ways = exporterWays(target, await manifestOf(target, stores, signal));
  let replayDigest = "";
  for (const [index, way] of ways.entries()) {
    const outputs = [{ type: "image" as const, attrs: { ...way, store: "false", push: "false" } }];
    // What was built once is only packed in another way.
    const result = await runReplay(target, { ...options, outputs }, { noCache: noCache && index === 0 });
    replayDigest = result.digest ?? "";
    if (replayDigest === subject.descriptor.digest) return { replayDigest };
  }
  if (compare === "digest") return { replayDigest };
  return comparedParts(target, { options, stores, attrs: ways.at(-1) ?? {}, signal });
}

async function comparedParts(
  target: ReplayTarget,
  {
    options,
    stores,
    attrs,
    signal,
  }: { options: ReplayOptions; stores: ImageStores; attrs: Attrs; signal: AbortSignal | undefined },
): Promise<Compared> {
  const { location, descriptor } = target.subject;
  if (!location) throw replayErrors.unsupportedSubject("a file has no image");
  const path = await mkdtemp(join(tmpdir(), "slipway-verify-"));
  try {
    const outputs = [{ type: "oci" as const, dest: path, attrs: { ...attrs, tar: "false" } }];
    await runReplay(target, { ...options, outputs });
    const layout = { kind: "layout" as const, path, tag: "latest" };
    const store = stores.of(layout);
    const replayed: ImageSide = { store, location: layout, descriptor: await store.resolve(layout) };
    const comparison = await compareImages(
      { store: stores.of(location), location, descriptor },
      replayed,
      signal,
    );
    return { replayDigest: replayed.descriptor.digest, comparison };
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function manifestOf(
  { subject: { location, descriptor } }: ReplayTarget,
  stores: ImageStores,
  signal: AbortSignal | undefined,
): Promise<Manifest | undefined> {
  if (!location) return undefined;
  const { content } = await stores.of(location).readManifest(location, descriptor.digest, { signal });
  return parseManifest(content, undefined, descriptor.digest);
}

/** How the subject may have been exported: by the types that its manifest has; with times that were rewritten, if they may have been. */
function exporterWays({ provenance }: ReplayTarget, manifest: Manifest | undefined): Attrs[] {
  const attrs: Attrs = {};
  if (manifest?.kind === "manifest") {
    attrs["oci-mediatypes"] = String(!manifest.mediaType.startsWith("application/vnd.docker."));
    const isZstd = manifest.layers.some(({ mediaType }) => mediaType.endsWith("zstd"));
    const isPlain =
      manifest.layers.length > 0 && manifest.layers.every(({ mediaType }) => mediaType.endsWith(".tar"));
    if (isZstd) attrs["compression"] = "zstd";
    if (isPlain) attrs["compression"] = "uncompressed";
  }
  const hasEpoch = provenance.attrs.has("build-arg:SOURCE_DATE_EPOCH");
  return hasEpoch ? [attrs, { ...attrs, "rewrite-timestamp": "true" }] : [attrs];
}

async function settled(
  target: ReplayTarget,
  found: Compared & Required<Pick<VerifyReplayOptions, "compare" | "mismatch">>,
  files: VerificationFiles | undefined,
): Promise<VerifyReplayResult> {
  const { compare, mismatch, replayDigest, comparison } = found;
  const subjectDigest = target.subject.descriptor.digest;
  const matched = replayDigest === subjectDigest;
  const vsa = summary(target, { compare, replayDigest, matched });
  const report = compare === "artifact" ? (comparison?.report ?? { context: "root" }) : undefined;
  await files?.write(vsa, report);
  const differences = comparison?.differences ?? [];
  if (matched || mismatch === "return") return { matched, subjectDigest, replayDigest, differences, vsa };
  throw new ReplayError(
    "REPLAY_MISMATCH",
    [
      `replay mismatch: verify --compare=${compare} failed: the subject is ${subjectDigest}, the replay ${replayDigest}`,
      ...differences.slice(0, mostShown).map((one) => `  ${describeDifference(one)}`),
      ...(differences.length > mostShown ? [`  and ${differences.length - mostShown} more`] : []),
    ].join("\n"),
    { digest: subjectDigest, differences },
  );
}

/** Differences in the message of an error. */
const mostShown = 20;
