export { type ReportCollector, collectReport } from "./collect-report.js";
export type { ReportOutcome } from "./model-of.js";
export { reportHtml } from "./report-html.js";
export type {
  BuildOutcome,
  CriticalStretch,
  ReportFailure,
  ReportImage,
  ReportLayer,
  ReportModel,
  ReportStep,
  ReportTransfer,
  ReportWarning,
  StepState,
  TimeSpan,
} from "./report-model.js";
