import type { Readable } from "node:stream";
import type { Builder } from "../../builder/index.js";
import type { Environment } from "../../config/index.js";
import { type EventSink, readOptions } from "../../core/index.js";
import { historyKinds, inspectBuildKinds, recordCallKinds } from "../option-kinds.js";
import type { BuildDetails } from "./build-details.js";
import type { BuildHistory, RecordCallOptions } from "./build-history.js";
import type { BuildRecord } from "./build-record.js";
import type { TraceSpan } from "./build-trace.js";

/** The builder whose builds {@link history} opens. */
export interface HistoryOptions {
  /** A builder's name, or a builder; default the current one. */
  builder?: string | Builder | undefined;
  /** Default `process.env`. */
  env?: Environment | undefined;
  /** Gets the boot of a builder that does not run yet. */
  onEvent?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Opens the history of a builder: what it remembers of the builds it ran. Boots the nodes that do not run, as buildx does.
 * Close it when done.
 *
 * @throws StoreError for a builder that is not there; DriverError for one that cannot be booted.
 */
export async function history(given: HistoryOptions = {}): Promise<BuildHistory> {
  const options = readOptions("history()", given, historyKinds);
  // Loaded when first asked for, so that importing the library costs nothing to speak of.
  const { openHistory } = await import("../loaded.js");
  return openHistory(options);
}

/**
 * Reads all that a builder remembers of a build, as options of the build command (buildx v0.36
 * commands/history/inspect.go). `directory` is what paths are shown relative to, default the current one.
 */
export async function inspectBuild(
  builds: BuildHistory,
  record: BuildRecord,
  given: RecordCallOptions & { directory?: string } = {},
): Promise<BuildDetails> {
  const options = readOptions("inspectBuild()", given, inspectBuildKinds);
  const { readDetails } = await import("../loaded.js");
  return readDetails(builds, record, options);
}

/**
 * The OpenTelemetry spans of a build that has ended. BuildKit stores them when a record is finalized; this finalizes it
 * if nobody has.
 *
 * @throws HistoryError `HISTORY_MISSING` for a build that runs, or that left no trace.
 */
export async function readTrace(
  builds: BuildHistory,
  record: BuildRecord,
  given: RecordCallOptions = {},
): Promise<TraceSpan[]> {
  const options = readOptions("readTrace()", given, recordCallKinds);
  const { readSpans } = await import("../loaded.js");
  return readSpans(builds, record, options);
}

/**
 * Records as the bundle that `history export` writes and Docker Desktop reads, `.dockerbuild`: a gzipped OCI layout
 * with a manifest for each record (buildx v0.36 util/desktop/bundle). Credentials in cache options and in the trace are
 * left out.
 *
 * @throws HistoryError `HISTORY_MISSING`, from the stream or at once, for a blob that the builder does not have any
 * more.
 */
export async function bundleBuilds(
  builds: BuildHistory,
  records: readonly BuildRecord[],
  given: RecordCallOptions = {},
): Promise<Readable> {
  const options = readOptions("bundleBuilds()", given, recordCallKinds);
  const { makeBundle } = await import("../loaded.js");
  return makeBundle(builds, records, options);
}
