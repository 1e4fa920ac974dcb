import type { BuildExplanation, NetworkReport, VertexWarning } from "../core/index.js";

/** How a build, or a step of one, came out. */
export type BuildOutcome = "succeeded" | "failed" | "canceled";

/** The outcome of a step; `unused` is a step that never began: not needed, or the build ended before. */
export type StepState = "done" | "cached" | "failed" | "canceled" | "unused";

/** A stretch of time, in milliseconds since the build began. */
export interface TimeSpan {
  start: number;
  end: number;
}

/** Bytes that went somewhere during a step. */
export interface ReportTransfer {
  /** Number of its step. */
  step: number;
  name: string;
  bytes: number;
  /** Milliseconds; 0 when the daemon does not tell. */
  milliseconds: number;
  /** It came to its end. */
  completed: boolean;
}

/** A step of the build: a vertex of its graph, or work of the client's own. */
export interface ReportStep {
  /** From 1, in the order in which steps began. */
  number: number;
  digest: string;
  /** As the display names it: `[linux/arm64 build 2/5] RUN make`. */
  name: string;
  /** The part of the name that is the same on every platform: `[build 2/5] RUN make`. */
  commonName: string;
  /** Platform that the step is for, in a build for several; empty otherwise. */
  platform: string;
  /** Name of the group that displays show it in, if any. */
  group: string;
  state: StepState;
  /** When it ran, in order; steps may run more than once. */
  runs: TimeSpan[];
  /** Milliseconds that it ran. */
  milliseconds: number;
  /** Numbers of the steps whose results it takes. */
  inputs: number[];
  /** On the critical path. */
  critical: boolean;
  transfers: ReportTransfer[];
  /** Output, as text that holds no control sequences. */
  log: string;
  /** Bytes of output that were left out of the middle of `log`. */
  omittedBytes: number;
  error: string;
}

/** A part of the critical path: the build would have ended earlier only if this had been shorter. */
export interface CriticalStretch extends TimeSpan {
  /** Number of the step that ran. */
  step: number;
}

/** A warning and the step that told it. */
export interface ReportWarning extends VertexWarning {
  /** Number of the step; 0 when it is not known. */
  step: number;
}

/** A layer of the result. */
export interface ReportLayer {
  digest: string;
  /** Bytes as stored. */
  size: number;
  /** The instruction that made it, when the image tells. */
  createdBy?: string;
}

/** The result for one platform. */
export interface ReportImage {
  platform: string;
  digest: string;
  layers: readonly ReportLayer[];
}

/** What went wrong. */
export interface ReportFailure {
  message: string;
  /** Number of the step that failed; 0 when no step did. */
  step: number;
  /** Excerpts of the files that the error points into, marked and ready to show. */
  sources: string[];
}

/** Everything a report shows, as plain data. */
export interface ReportModel {
  title: string;
  outcome: BuildOutcome;
  failure?: ReportFailure;
  builder: string;
  /** `<builder>/<node>/<id>` in the builder's history, when known. */
  ref: string;
  begun: Date;
  /** From the first step's start to the last one's end. */
  milliseconds: number;
  /** Platforms that steps were for, when there are several. */
  platforms: string[];
  steps: ReportStep[];
  /** From the build's beginning to its end, in order. */
  criticalPath: CriticalStretch[];
  warnings: ReportWarning[];
  /** What the client said besides. */
  messages: string[];
  images: ReportImage[];
  /** What the build asked of the network, when that was watched. */
  network?: NetworkReport;
  /** Why steps ran again, of a build that was to tell. */
  explained?: BuildExplanation;
}
