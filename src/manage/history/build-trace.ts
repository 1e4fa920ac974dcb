import { checkShape, messageOf, parseJson, sleep } from "../../core/index.js";
import { isJsonObject, type JsonObject } from "../../config/index.js";
import type { BuildHistory, RecordCallOptions } from "./build-history.js";
import { type BuildRecord, requireRecord } from "./build-record.js";
import { HistoryError } from "./history-error.js";
import { splitJson } from "./split-json.js";

/** Spans arrive at the daemon a little after the build's end; how long they are given, in ms. */
const settleMilliseconds = 1000;

/** Longest trace that is read, in bytes. */
export const largestTrace = 32 << 20;

/** Values in it, at most: a span has some sixty. */
const mostTraceValues = 3_000_000;

/** One span as BuildKit stores it, an OpenTelemetry SDK span stub. */
export type TraceSpan = JsonObject;

/** What `readTrace()` does. */
export async function readSpans(
  history: BuildHistory,
  record: BuildRecord,
  { signal }: RecordCallOptions = {},
): Promise<TraceSpan[]> {
  const id = JSON.stringify(requireRecord(record).id);
  if (record.status === "running")
    throw new HistoryError(
      "HISTORY_MISSING",
      `build ${id} is not completed, only completed builds can be traced`,
    );
  let finalized = record;
  if (!finalized.trace) {
    await sleep(settleMilliseconds, signal);
    finalized = await history.finalize(record, { signal });
  }
  if (!finalized.trace) throw new HistoryError("HISTORY_MISSING", `build record ${id} is missing a trace`);
  const blob = await history.readBlob(finalized, finalized.trace.digest, { limit: largestTrace, signal });
  return parseSpans(blob);
}

/** Spans of a trace blob: one JSON object after the other. */
export function parseSpans(blob: Buffer): TraceSpan[] {
  try {
    const text = blob.toString();
    checkShape(text, mostTraceValues);
    return splitJson(text).map(parseJson).filter(isJsonObject);
  } catch (cause) {
    throw new HistoryError("HISTORY_MISSING", `the trace cannot be read: ${messageOf(cause)}`, { cause });
  }
}
