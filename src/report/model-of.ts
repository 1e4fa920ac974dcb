import {
  type BuildExplanation,
  type Interval,
  type NetworkReport,
  type SourceInfo,
  type SourceRange,
  type VertexWarning,
  isSlipwayError,
  mergeIntervals,
  messageOf,
} from "../core/index.js";
import { dedupeWarnings, formatSource, sanitizeName } from "../progress/index.js";
import { cleanText } from "./clean-text.js";
import type { CollectedStep } from "./collected-step.js";
import { criticalPath } from "./critical-path.js";
import type { KeptLogs } from "./kept-logs.js";
import type {
  BuildOutcome,
  ReportFailure,
  ReportImage,
  ReportModel,
  ReportStep,
  ReportTransfer,
  StepState,
  TimeSpan,
} from "./report-model.js";
import { parseStepName } from "./step-name.js";

/** What came out of a build: the parts of a result or an error of `build()` that a report shows, each if known. */
export interface ReportOutcome {
  /** Heading of the report; otherwise the image's names. */
  title?: string;
  result?: {
    ref?: string;
    names?: readonly string[];
    platforms?: readonly ReportImage[];
  };
  /** What the build was rejected with. */
  error?: unknown;
}

/** What was collected. */
export interface CollectedBuild {
  steps: readonly CollectedStep[];
  logs: KeptLogs;
  warnings: readonly VertexWarning[];
  messages: readonly string[];
  builder: string;
  network: NetworkReport | undefined;
  explained: BuildExplanation | undefined;
}

/** Makes the model of a report of what was collected. Times in it count from the first step's start. */
export function modelOf(collected: CollectedBuild, { title, result, error }: ReportOutcome): ReportModel {
  const { begun, ended } = limitsOf(collected.steps);
  const runsOf = new Map(collected.steps.map((step) => [step, spansOf(step, begun, ended)]));
  const firstStart = (step: CollectedStep) => runsOf.get(step)?.[0]?.start ?? Infinity;
  const ordered = [...collected.steps].sort((a, b) => compare(firstStart(a), firstStart(b)));
  const numbers = new Map(ordered.map(({ digest }, index) => [digest, index + 1]));
  const steps = ordered.map((step) =>
    stepOf(step, runsOf.get(step) ?? [], numbers, collected.logs, error !== undefined),
  );
  const path = criticalPath(steps);
  for (const { step } of path) {
    const critical = steps[step - 1];
    if (critical) critical.critical = true;
  }
  const platforms = [...new Set(steps.map(({ platform }) => platform).filter(Boolean))].sort();
  const names = result?.names ?? [];
  return {
    title: sanitizeName(title ?? (names.length > 0 ? names.join(", ") : "Build")),
    outcome: outcomeOf(error),
    ...(error !== undefined && { failure: failureOf(error, steps) }),
    builder: sanitizeName(collected.builder),
    ...(collected.network && { network: collected.network }),
    ...(collected.explained && { explained: collected.explained }),
    ref: sanitizeName(result?.ref ?? ""),
    begun: new Date(begun),
    milliseconds: Math.max(0, ended - begun),
    platforms: platforms.length > 1 ? platforms : [],
    steps,
    criticalPath: path,
    warnings: dedupeWarnings(collected.warnings).map((warning) => ({
      ...warning,
      short: cleanText(warning.short),
      detail: warning.detail.map(cleanText),
      step: numbers.get(warning.vertex) ?? 0,
    })),
    messages: collected.messages.map(sanitizeName),
    images: (result?.platforms ?? []).map(imageOf),
  };
}

/** First start and last sign of life, in milliseconds since the epoch. */
function limitsOf(steps: readonly CollectedStep[]): { begun: number; ended: number } {
  let begun = Infinity;
  let ended = -Infinity;
  for (const { runs, statuses } of steps) {
    for (const [start, end] of runs) {
      begun = Math.min(begun, start);
      ended = Math.max(ended, end ?? start);
    }
    for (const { timestamp, completed } of statuses.values())
      ended = Math.max(ended, (completed ?? timestamp).getTime());
  }
  return begun === Infinity ? { begun: 0, ended: 0 } : { begun, ended };
}

/** When a step ran; a run that has no end went on until the build's. */
function spansOf(step: CollectedStep, begun: number, ended: number): TimeSpan[] {
  const runs = [...step.runs].map(([start, stop]): Interval => ({
    start,
    stop: stop ?? Math.max(start, ended),
  }));
  return mergeIntervals(runs).map(({ start, stop }) => ({
    start: start - begun,
    end: Math.max(start, stop ?? ended) - begun,
  }));
}

function stepOf(
  step: CollectedStep,
  runs: TimeSpan[],
  numbers: ReadonlyMap<string, number>,
  logs: KeptLogs,
  failed: boolean,
): ReportStep {
  const number = numbers.get(step.digest) ?? 0;
  const name = sanitizeName(step.name);
  const { text: log, omittedBytes } = logs.take(step.digest);
  return {
    number,
    digest: step.digest,
    name,
    ...parseStepName(name),
    group: sanitizeName(step.group),
    state: stateOf(step, failed),
    runs,
    milliseconds: runs.reduce((sum, { start, end }) => sum + end - start, 0),
    inputs: step.inputs.flatMap((digest) => numbers.get(digest) ?? []).sort(compare),
    critical: false,
    transfers: transfersOf(step, number),
    log,
    omittedBytes,
    error: cleanText(step.error),
  };
}

function stateOf({ runs, cached, error }: CollectedStep, failed: boolean): StepState {
  // Go's context.Canceled.Error(), with which the daemon's text ends (buildx progressui looks for it as well).
  if (error.endsWith("context canceled")) return "canceled";
  if (error !== "") return "failed";
  if (runs.size === 0) return "unused";
  if (failed && [...runs.values()].includes(undefined)) return "canceled";
  return cached ? "cached" : "done";
}

/** Statuses that count bytes: those of pulls, pushes, context uploads and loads. */
function transfersOf({ statuses }: CollectedStep, step: number): ReportTransfer[] {
  return [...statuses.values()]
    .filter(({ current }) => current > 0)
    .map(({ id, current, started, timestamp, completed }) => ({
      step,
      name: sanitizeName(id).replace(/:$/, ""), // `transferring context:`
      bytes: current,
      milliseconds: started ? Math.max(0, (completed ?? timestamp).getTime() - started.getTime()) : 0,
      completed: completed !== undefined,
    }));
}

/** An image's documents are written by whoever made its base. */
function imageOf({ platform, digest, layers }: ReportImage): ReportImage {
  return {
    platform: sanitizeName(platform),
    digest: sanitizeName(digest),
    layers: layers.map((layer) => ({
      digest: sanitizeName(layer.digest),
      size: layer.size,
      ...(layer.createdBy !== undefined && { createdBy: cleanText(layer.createdBy) }),
    })),
  };
}

function outcomeOf(error: unknown): BuildOutcome {
  if (error === undefined) return "succeeded";
  return isSlipwayError(error, "ABORTED") ? "canceled" : "failed";
}

/** Of an error of any kind; one of a failed build tells its step and its place in the Dockerfile. */
function failureOf(error: unknown, steps: readonly ReportStep[]): ReportFailure {
  const { step, sources = [] } = error as {
    step?: { digest: string };
    sources?: readonly { info: SourceInfo; ranges: readonly SourceRange[] }[];
  };
  const failed =
    steps.find(({ digest }) => digest === step?.digest) ?? steps.find(({ state }) => state === "failed");
  return {
    message: cleanText(messageOf(error)),
    step: failed?.number ?? 0,
    sources: sources.map(({ info, ranges }) => cleanText(formatSource(info, ranges))),
  };
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
