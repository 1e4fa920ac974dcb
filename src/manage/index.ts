export { type CacheRecord, type DiskUsageOptions, diskUsage } from "./disk-usage.js";
export { type CacheFilter, type PruneOptions, parseCacheFilters, prune } from "./prune.js";
export {
  type BuildAttachment,
  type BuildFailure,
  BuildHistory,
  type BuildRecord,
  type BuildResultBlobs,
  type BuildStatus,
  HistoryError,
  type HistoryErrorCode,
  type HistoryOptions,
  type RecordBlob,
  type RecordCallOptions,
  type RecordsOptions,
  history,
} from "./history/index.js";
