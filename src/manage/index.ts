export { type CacheRecord, type DiskUsageOptions, diskUsage } from "./disk-usage.js";
export { type CacheFilter, type PruneOptions, parseCacheFilters, prune } from "./prune.js";
