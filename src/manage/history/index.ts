export type { BuildAttachment } from "./attachments.js";
export type { BuildFailure } from "./build-failure.js";
export {
  BuildHistory,
  type HistoryOptions,
  type RecordCallOptions,
  type RecordsOptions,
  history,
} from "./build-history.js";
export type { BuildRecord, BuildResultBlobs, BuildStatus, RecordBlob } from "./build-record.js";
export { HistoryError, type HistoryErrorCode } from "./history-error.js";
