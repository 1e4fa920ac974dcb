export { writeFileAtomic } from "./atomic-file.js";
export { type ByteString, displayPath, toBytes, toText } from "./bytes.js";
export { type DiskSource, diskSource } from "./disk-source.js";
export { type FilterOptions, TreeFilter } from "./filter.js";
export { findProgram, programEnvironment } from "./find-program.js";
export { type Resolved, followLinks, linkClosure, resolveInside } from "./follow-links.js";
export {
  deviceNumbers,
  goMode,
  goModeOf,
  isDirectory,
  isRegular,
  isSymlink,
  posixPermissions,
} from "./go-mode.js";
export { setMetadataSync, syncFile } from "./open-file.js";
export { parseIgnoreFile } from "./ignore-file.js";
export { keepFile } from "./kept-files.js";
export { type EntryMaker, type Lease, LeasedDirectory } from "./leased-directory.js";
export { type FileLock, LockError, type LockOptions, lockFile, tryLockFile } from "./lock.js";
export { makeDirectory, makeDirectorySync } from "./make-directory.js";
export { type MemoryContent, type MemoryEntry, type MemorySource, memorySource } from "./memory-source.js";
export {
  type OpenDirectory,
  closeDirectory,
  descriptorPath,
  entryPath,
  makeAccessible,
  openAgain,
  openChild,
  openRoot,
  selfPath,
} from "./open-directory.js";
export { openReadable } from "./open-readable.js";
export { type OutputFileOptions, openOutputFile, openPlace } from "./output-file.js";
export { pathWithin } from "./path-within.js";
export { cleanPath, comparePaths } from "./paths.js";
export type { Pattern } from "./pattern.js";
export { type MatchMemo, PatternMatcher } from "./patterns.js";
export { type ProcessIdentity, hasEnded, thisProcess } from "./process-identity.js";
export {
  type BoundedRead,
  FileReadError,
  readBounded,
  readIfThere,
  readOpened,
  readStreamBounded,
} from "./read-file.js";
export { readSmall } from "./read-small.js";
export { restrictedSource } from "./restricted-source.js";
export { refuseShared, sharedMessage, sharedReason } from "./shared-directory.js";
export { type SetAsideOptions, setAside } from "./set-aside.js";
export { statOutput } from "./stat-output.js";
export { describeSystemError, systemReason } from "./system-error.js";
export { type ResultFile, prepareResultFile } from "./result-file.js";
export { FileWriteError, writeError } from "./write-error.js";
export { type EntryStat, type TreeSource, isForbidden, isGone } from "./tree-source.js";
export { type DirNode, TreeWalker, WalkError, type WalkEntry } from "./walk.js";
export { walkTree } from "./walk-tree.js";
