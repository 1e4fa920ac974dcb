export { type BuilderStream, type DialBuilderOptions, dialBuilder } from "./dial-builder.js";
export {
  type LoginOptions,
  type LogoutOptions,
  loginToRegistry,
  logoutFromRegistry,
  serverHost,
  serverKey,
} from "./registry-login.js";
export { withRegistrySettings } from "./registry-settings.js";
export {
  type BuilderDiskUsageOptions,
  type CacheRecord,
  type DiskUsageOptions,
  diskUsage,
} from "./disk-usage.js";
export {
  type CacheFilter,
  cacheFilterNames,
  checkCacheFilter,
  parseCacheFilters,
  withConfiguredFilters,
} from "./cache-filters.js";
export { type DoctorOptions, doctor } from "./doctor/doctor.js";
export type { Finding } from "./doctor/finding.js";
export { type BuilderPruneOptions, type PruneOptions, prune } from "./prune.js";
export type { RunningNodesOptions } from "./running-nodes.js";
export {
  type BuildAttachment,
  type BuildConfig,
  type BuildDetails,
  type BuildFailure,
  type BuildHistory,
  type BuildMaterial,
  type BuildRecord,
  type BuildResultBlobs,
  type BuildStatus,
  HistoryError,
  type HistoryErrorCode,
  type HistoryOptions,
  type ImportBundleOptions,
  type JaegerTrace,
  type NamedValue,
  type RecordBlob,
  type RecordCallOptions,
  type RecordsOptions,
  type TraceSpan,
  bundleBuilds,
  history,
  importBundle,
  inspectBuild,
  openInDesktop,
  readTrace,
  toJaeger,
} from "./history/index.js";
export {
  type CreateImageOptions,
  type CreatedImage,
  type ImageToolsOptions,
  type InspectImageOptions,
  type InspectedImage,
  type InspectedPlatform,
  createImage,
  imageMetadata,
  inspectImage,
} from "./image-tools/index.js";
