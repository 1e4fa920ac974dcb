export { type FileSyncOptions, fileSync } from "./file-sync.js";
export { SyncError, type SyncErrorCode } from "./sync-error.js";
export type { SyncedDir } from "./synced-dir.js";
export type { SyncProgress } from "./tree-sender.js";
