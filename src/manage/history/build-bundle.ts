import { once } from "node:events";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type Pack, pack } from "tar-stream";
import { goJson } from "../../config/index.js";
import {
  InvalidArgumentError,
  type LinkedSignal,
  holdStream,
  isSlipwayError,
  linkSignal,
} from "../../core/index.js";
import { type Descriptor, digestOf, mediaTypes } from "../../registry/index.js";
import type { BuildHistory, RecordCallOptions } from "./build-history.js";
import { type BuildRecord, type BuildResultBlobs, type RecordBlob, requireRecord } from "./build-record.js";
import { type BundleContext, bundleRecordJson } from "./bundle-record.js";
import { largestTrace, parseSpans } from "./build-trace.js";
import { HistoryError } from "./history-error.js";
import { sanitizeSpans } from "./sanitize-spans.js";

/** Blobs of a bundle by digest: bytes made here, or what the builder has. */
type BundleBlobs = Map<
  string,
  { size: number; read: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array> }
>;

const recordType = "application/vnd.buildkit.historyrecord.v0";
/** Holds the media type of a result, which has another one in a bundle so that nobody looks for what it lists. */
const resultTypeAnnotation = "vnd.export-build.descriptor.mediatype";
const referenceAnnotation = "vnd.buildkit.history.reference";

/** What `bundleBuilds()` does. */
export async function makeBundle(
  history: BuildHistory,
  records: readonly BuildRecord[],
  { signal }: RecordCallOptions = {},
): Promise<Readable> {
  if (!Array.isArray(records)) throw new InvalidArgumentError("bundleBuilds() takes a list of records");
  for (const record of records as BuildRecord[]) requireRecord(record);
  const blobs: BundleBlobs = new Map();
  const manifests: Descriptor[] = [];
  const reading = linkSignal(signal);
  try {
    for (const record of records) {
      const context = await contextOf(history, record, reading.signal);
      manifests.push(await addRecord(blobs, history, record, context, reading.signal));
    }
  } catch (error) {
    reading[Symbol.dispose]();
    throw error;
  }
  const [only] = manifests;
  const root = only && manifests.length === 1 ? only : addIndex(blobs, records, manifests);
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [root] };
  return packed(blobs, JSON.stringify(index), reading);
}

/** The layout as a gzipped tar. `reading` ends with it, also when its reader goes away. */
function packed(blobs: BundleBlobs, index: string, reading: LinkedSignal): Readable {
  // Whoever asked may listen later than it breaks.
  const gzip = holdStream(createGzip());
  const tar = pack();
  const source = Readable.from(tar as AsyncIterable<Buffer>, { objectMode: false, highWaterMark: 1 << 20 });
  pipeline(source, gzip)
    .catch(() => {}) // the reader of gzip hears of it
    .finally(() => {
      reading.abort(new Error("the bundle is no longer read"));
      reading[Symbol.dispose]();
    });
  writeLayout(tar, blobs, index, reading.signal).catch((error: Error) => tar.destroy(error));
  return gzip;
}

function addIndex(
  blobs: BundleBlobs,
  records: readonly BuildRecord[],
  manifests: readonly Descriptor[],
): Descriptor {
  const named = manifests.map((descriptor, at) => ({
    ...descriptor,
    annotations: { [referenceAnnotation]: records[at]?.id ?? "" },
  }));
  return addJson(blobs, mediaTypes.ociIndex, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: named,
  });
}

async function contextOf(
  history: BuildHistory,
  { node, localState }: BuildRecord,
  signal: AbortSignal | undefined,
): Promise<BundleContext> {
  const defaultPlatform = await history.defaultPlatform(node, { signal });
  const group =
    localState?.groupRef === undefined
      ? undefined
      : await history.builder.store.localState.readGroup(localState.groupRef);
  return { defaultPlatform, ...(localState && { localState }), ...(group && { group }) };
}

async function addRecord(
  blobs: BundleBlobs,
  history: BuildHistory,
  record: BuildRecord,
  context: BundleContext,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  const layers: Descriptor[] = [];
  const seen = new Set<string>();
  const add = (blob: RecordBlob) => {
    if (seen.has(blob.digest)) return undefined;
    seen.add(blob.digest);
    blobs.set(blob.digest, {
      size: blob.size,
      read: () => named(record, blob, history.streamBlob(record, blob.digest, { signal })),
    });
    return descriptorOf(blob);
  };
  let trace: Descriptor | undefined;
  if (record.trace) {
    const stored = await history
      .readBlob(record, record.trace.digest, { limit: largestTrace, signal })
      .catch((error: unknown) => {
        throw gone(record, record.trace, error);
      });
    const spans = sanitizeSpans(parseSpans(stored));
    trace = addBytes(
      blobs,
      record.trace.mediaType,
      Buffer.from(spans.map((span) => `${goJson(span)}\n`).join("")),
    );
    seen.add(record.trace.digest);
    layers.push(trace);
  }
  const config = addJson(blobs, recordType, bundleRecordJson(record, context, trace));
  const addAll = (found: readonly (Descriptor | undefined)[]) =>
    layers.push(...found.filter((layer) => layer !== undefined));
  const addResult = ({ attestations, results }: BuildResultBlobs) =>
    addAll([...attestations.map(add), ...results.map((blob) => asResult(add(blob)))]);
  if (record.logs) addAll([add(record.logs)]);
  if (record.result) addResult(record.result);
  if (record.externalError) addAll([add(record.externalError)]);
  const platforms = Object.entries(record.results).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, result] of platforms) addResult(result);
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  return addJson(blobs, mediaTypes.ociManifest, manifest);
}

function asResult(descriptor: Descriptor | undefined): Descriptor | undefined {
  if (!descriptor) return undefined;
  const { mediaType, annotations } = descriptor;
  return {
    ...descriptor,
    mediaType: "application/json",
    annotations: { ...annotations, [resultTypeAnnotation]: mediaType },
  };
}

function descriptorOf({ mediaType, digest, size, annotations }: RecordBlob): Descriptor {
  const has = Object.keys(annotations).length > 0;
  return { mediaType, digest, size, ...(has && { annotations }) };
}

function addJson(blobs: BundleBlobs, mediaType: string, value: unknown): Descriptor {
  return addBytes(blobs, mediaType, Buffer.from(goJson(value)));
}

function addBytes(blobs: BundleBlobs, mediaType: string, bytes: Buffer): Descriptor {
  const digest = digestOf(bytes);
  blobs.set(digest, { size: bytes.length, read: () => [bytes] });
  return { mediaType, digest, size: bytes.length };
}

/** The blob's bytes, as many as the record says, with an error that says whose they were. */
async function* named(record: BuildRecord, blob: RecordBlob, bytes: AsyncIterable<Uint8Array>) {
  let length = 0;
  try {
    for await (const chunk of bytes) {
      length += chunk.length;
      if (length > blob.size) break;
      yield chunk;
    }
  } catch (error) {
    throw gone(record, blob, error);
  }
  if (length !== blob.size)
    throw new HistoryError(
      "HISTORY_INVALID",
      `the builder has not the ${blob.size} bytes of ${blob.digest} that the record of build ${record.id} says`,
    );
}

function gone({ id }: BuildRecord, blob: RecordBlob | undefined, error: unknown): unknown {
  if (!isSlipwayError(error, "BUILDKIT_STATUS") || !blob) return error;
  return new HistoryError(
    "HISTORY_MISSING",
    `the builder no longer has ${blob.digest} (${blob.mediaType}) of build ${id}: ${error.message}`,
    { cause: error },
  );
}

/** The tar of an OCI layout, blobs by digest. */
async function writeLayout(tar: Pack, blobs: BundleBlobs, index: string, signal: AbortSignal): Promise<void> {
  const root = { uid: 0, gid: 0, mtime: new Date(0) };
  const algorithms = new Set([...blobs.keys()].map((digest) => digest.slice(0, digest.indexOf(":"))));
  for (const name of ["blobs/", ...[...algorithms].map((algorithm) => `blobs/${algorithm}/`)])
    tar.entry({ ...root, name, type: "directory", mode: 0o755 });
  for (const [digest, { size, read }] of [...blobs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = `blobs/${digest.replace(":", "/")}`;
    // A streamx writable, which behaves as Node's does.
    const entry = holdStream(tar.entry({ ...root, name, size, mode: 0o444 }) as unknown as Writable);
    // It closes without an error when the bundle is given up: the signal says so.
    const finished = once(entry, "finish", { signal });
    finished.catch(() => {}); // awaited below, unless reading fails first
    for await (const chunk of read()) if (!entry.write(chunk)) await once(entry, "drain", { signal });
    entry.end();
    await finished;
  }
  tar.entry({ ...root, name: "index.json", mode: 0o644 }, index);
  tar.entry({ ...root, name: "oci-layout", mode: 0o444 }, '{"imageLayoutVersion":"1.0.0"}');
  tar.finalize();
}
