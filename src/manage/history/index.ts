export type { BuildAttachment } from "./attachments.js";
export { bundleBuilds } from "./build-bundle.js";
export {
  type BuildConfig,
  type BuildDetails,
  type BuildMaterial,
  type NamedValue,
  inspectBuild,
} from "./build-details.js";
export type { BuildFailure } from "./build-failure.js";
export type { BuildHistory, RecordCallOptions, RecordsOptions } from "./build-history.js";
export type { BuildRecord, BuildResultBlobs, BuildStatus, RecordBlob } from "./build-record.js";
export { type TraceSpan, readTrace } from "./build-trace.js";
export { type ImportBundleOptions, desktopUrl, hasDesktop, importBundle, openInDesktop } from "./desktop.js";
export { HistoryError, type HistoryErrorCode } from "./history-error.js";
export { type HistoryOptions, history } from "./history.js";
export { type JaegerTrace, toJaeger } from "./jaeger.js";
