import { InvalidArgumentError, clipText, dateOf, soundCount } from "../../core/index.js";
import type { LocalBuildState } from "../../builder/index.js";
import type { control } from "../../buildkit/index.js";
import { isDigest } from "../../registry/index.js";
import { buildName } from "./build-name.js";
import { HistoryError } from "./history-error.js";

/** How a build stands. `canceled` is a failed build that somebody stopped. */
export type BuildStatus = "running" | "completed" | "error" | "canceled";

/** A blob of the builder's content store that belongs to a record; see `BuildHistory.readBlob`. */
export interface RecordBlob {
  /** `sha256:…` */
  digest: string;
  mediaType: string;
  /** Bytes. */
  size: number;
  annotations: Record<string, string>;
}

/** What a build gave for one platform. */
export interface BuildResultBlobs {
  /** Provenance, SBOM and other in-toto predicates; `in-toto.io/predicate-type` among the annotations tells which. */
  attestations: RecordBlob[];
  /** What the exporters made, in their order: an image's index or manifest. */
  results: RecordBlob[];
}

/** One build that a builder remembers (moby.buildkit.v1 BuildHistoryRecord). */
export interface BuildRecord {
  /** The build's id, `SolveRequest.Ref`. */
  id: string;
  /** `builder/node/id`: how build results and links name it. */
  ref: string;
  builder: string;
  node: string;
  /** Which of the node's daemons it ran on, e.g. the name of a pod; absent where a node has one. */
  instance?: string;
  /** What the build is called: by its context, Dockerfile and target, or BUILDKIT_BUILD_NAME. May be empty. */
  name: string;
  status: BuildStatus;
  createdAt: Date;
  /** Absent while the build runs. */
  completedAt?: Date;
  /** From start to end, or until now by the builder's clock, in ms; fractions count. */
  duration: number;
  steps: { total: number; completed: number; cached: number };
  warnings: number;
  /** Kept from garbage collection. */
  pinned: boolean;
  /** `dockerfile.v0`; empty where the client drove the frontend itself, as slipway and buildx do. */
  frontend: string;
  /** What was asked of the frontend: `filename`, `target`, `build-arg:…`, `label:…`, `vcs:…`. */
  attrs: Record<string, string>;
  exporters: { type: string; attrs: Record<string, string> }[];
  /** What frontend and exporters answered: `containerimage.config`, `refs.platforms`. */
  exporterResponse: Record<string, string>;
  /** Of a failed build: a gRPC status code and the daemon's text. `BuildHistory.failure` reads the rest of it. */
  error?: { code: number; message: string };
  /** Details of the error, a `google.rpc.Status`. */
  externalError?: RecordBlob;
  /** The stored progress. `BuildHistory.status` reads it. */
  logs?: RecordBlob;
  /** OpenTelemetry spans, once the record is finalized. `BuildHistory.trace` reads it. */
  trace?: RecordBlob;
  /** Of builds for the builder's own platform only. */
  result?: BuildResultBlobs;
  /** By platform, of builds that name platforms. */
  results: Record<string, BuildResultBlobs>;
  /** Where the input came from, of builds that were started here. */
  localState?: LocalBuildState;
  /** Everything as BuildKit sent it, with times to the nanosecond. */
  wire: control.BuildHistoryRecord;
}

/** What {@link buildRecord} makes a record of. */
export interface RecordSource {
  builder: string;
  node: string;
  instance?: string | undefined;
  wire: control.BuildHistoryRecord;
  localState?: LocalBuildState | undefined;
  /** The builder's time when it answered. */
  now: Date;
}

/** An id of a build: clients choose theirs, but none so. */
const recordId = /^[^\u0000-\u001f\u007f-\u009f]{1,1024}$/;

/**
 * A record of the wire as data. Counts and times are moved to the nearest ones that there are; blobs whose digests are none are
 * left out, as those that the builder no longer has.
 *
 * @throws HistoryError `HISTORY_INVALID` for a record whose id is none.
 */
export function buildRecord({ builder, node, instance, wire, localState, now }: RecordSource): BuildRecord {
  if (!recordId.test(wire.Ref)) {
    const named = JSON.stringify(clipText(wire.Ref, 100));
    throw new HistoryError(
      "HISTORY_INVALID",
      `the builder remembers a build with the id ${named}, which is none`,
    );
  }
  const { error, Result: result } = wire;
  const externalError = recordBlob(wire.externalError);
  const logs = recordBlob(wire.logs);
  const trace = recordBlob(wire.trace);
  const createdAt = wire.CreatedAt ? dateOf(wire.CreatedAt) : new Date(0);
  const completedAt = wire.CompletedAt && dateOf(wire.CompletedAt);
  return {
    id: wire.Ref,
    ref: `${builder}/${node}/${wire.Ref}`,
    builder,
    node,
    ...(instance !== undefined && { instance }),
    name: buildName(wire.FrontendAttrs, localState, {
      images: wire.Exporters.map(({ Attrs }) => Attrs["name"] ?? ""),
      id: wire.Ref,
    }),
    status: statusOf(wire),
    createdAt,
    ...(completedAt && { completedAt }),
    duration: durationOf(wire, now),
    steps: {
      total: soundCount(wire.numTotalSteps),
      completed: soundCount(wire.numCompletedSteps),
      cached: soundCount(wire.numCachedSteps),
    },
    warnings: soundCount(wire.numWarnings),
    pinned: wire.pinned,
    frontend: wire.Frontend,
    attrs: { ...wire.FrontendAttrs },
    exporters: wire.Exporters.map(({ Type, Attrs }) => ({ type: Type, attrs: { ...Attrs } })),
    exporterResponse: { ...wire.ExporterResponse },
    ...(error && { error: { code: error.code, message: error.message } }),
    ...(externalError && { externalError }),
    ...(logs && { logs }),
    ...(trace && { trace }),
    ...(result && { result: resultBlobs(result) }),
    results: Object.fromEntries(
      Object.entries(wire.Results).map(([platform, info]) => [platform, resultBlobs(info)]),
    ),
    ...(localState && { localState }),
    wire,
  };
}

/** What was given as a record. @throws InvalidArgumentError for what is none. */
export function requireRecord(given: BuildRecord): BuildRecord {
  if (typeof (given as BuildRecord | undefined)?.id === "string") return given;
  throw new InvalidArgumentError("a record is needed, as the history's record() and records() give it");
}

/** gRPC's code of what was stopped. */
const canceledCode = 1;

function statusOf({ CompletedAt, error }: control.BuildHistoryRecord): BuildStatus {
  if (!CompletedAt) return "running";
  if (!error) return "completed";
  return error.code === canceledCode || error.message.includes("context canceled") ? "canceled" : "error";
}

function durationOf({ CreatedAt, CompletedAt }: control.BuildHistoryRecord, now: Date): number {
  if (!CreatedAt) return 0;
  if (!CompletedAt) return Math.max(0, now.getTime() - dateOf(CreatedAt).getTime());
  const seconds = Number(CompletedAt.seconds - CreatedAt.seconds);
  return Math.max(0, seconds * 1e3 + (CompletedAt.nanos - CreatedAt.nanos) / 1e6);
}

function resultBlobs({ Attestations, Results }: control.BuildResultInfo): BuildResultBlobs {
  const inOrder = Object.entries(Results).sort(([a], [b]) => Number(a) - Number(b));
  return {
    attestations: Attestations.map(recordBlob).filter((blob) => blob !== undefined),
    results: inOrder.map(([, blob]) => recordBlob(blob)).filter((blob) => blob !== undefined),
  };
}

/** A digest becomes a path in a bundle, and a request to the builder. */
function recordBlob(blob: control.Descriptor | undefined): RecordBlob | undefined {
  if (!blob || !isDigest(blob.digest)) return undefined;
  return {
    digest: blob.digest,
    mediaType: blob.mediaType,
    size: soundCount(blob.size),
    annotations: { ...blob.annotations },
  };
}
