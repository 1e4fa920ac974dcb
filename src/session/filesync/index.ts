export { type FileSyncOptions, fileSync } from "./file-sync.js";
export type { AnnouncedFile } from "./announced-files.js";
export type { OpenFile, OpenFileAt, RacePolicy } from "./file-reader.js";
export { SyncError, type SyncErrorCode } from "./sync-error.js";
export { type OpenedDir, type SyncedDir, dirOpener } from "./synced-dir.js";
export type { SyncProgress } from "./tree-sender.js";
