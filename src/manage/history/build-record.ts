import { dateOf } from "../../core/index.js";
import type { LocalBuildState } from "../../builder/index.js";
import type { control } from "../../buildkit/index.js";
import { buildName } from "./build-name.js";

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
  wire: control.BuildHistoryRecord;
  localState?: LocalBuildState | undefined;
  /** The builder's time when it answered. */
  now: Date;
}

/** A record of the wire as data. */
export function buildRecord({ builder, node, wire, localState, now }: RecordSource): BuildRecord {
  const { error, externalError, logs, trace, Result: result } = wire;
  const createdAt = wire.CreatedAt ? dateOf(wire.CreatedAt) : new Date(0);
  const completedAt = wire.CompletedAt && dateOf(wire.CompletedAt);
  return {
    id: wire.Ref,
    ref: `${builder}/${node}/${wire.Ref}`,
    builder,
    node,
    name: buildName(wire.FrontendAttrs, localState, {
      images: wire.Exporters.map(({ Attrs }) => Attrs["name"] ?? ""),
      id: wire.Ref,
    }),
    status: statusOf(wire),
    createdAt,
    ...(completedAt && { completedAt }),
    duration: durationOf(wire, now),
    steps: { total: wire.numTotalSteps, completed: wire.numCompletedSteps, cached: wire.numCachedSteps },
    warnings: wire.numWarnings,
    pinned: wire.pinned,
    frontend: wire.Frontend,
    attrs: { ...wire.FrontendAttrs },
    exporters: wire.Exporters.map(({ Type, Attrs }) => ({ type: Type, attrs: { ...Attrs } })),
    exporterResponse: { ...wire.ExporterResponse },
    ...(error && { error: { code: error.code, message: error.message } }),
    ...(externalError && { externalError: recordBlob(externalError) }),
    ...(logs && { logs: recordBlob(logs) }),
    ...(trace && { trace: recordBlob(trace) }),
    ...(result && { result: resultBlobs(result) }),
    results: Object.fromEntries(
      Object.entries(wire.Results).map(([platform, info]) => [platform, resultBlobs(info)]),
    ),
    ...(localState && { localState }),
    wire,
  };
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
  return seconds * 1e3 + (CompletedAt.nanos - CreatedAt.nanos) / 1e6;
}

function resultBlobs({ Attestations, Results }: control.BuildResultInfo): BuildResultBlobs {
  const inOrder = Object.entries(Results).sort(([a], [b]) => Number(a) - Number(b));
  return {
    attestations: Attestations.map(recordBlob),
    results: inOrder.map(([, blob]) => recordBlob(blob)),
  };
}

function recordBlob(blob: control.Descriptor): RecordBlob {
  return {
    digest: blob.digest,
    mediaType: blob.mediaType,
    size: Number(blob.size),
    annotations: { ...blob.annotations },
  };
}
