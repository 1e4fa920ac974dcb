import type { ByteString } from "./bytes.js";

/** What is known of an entry without following links. `BigIntStats` of node:fs has this shape. */
export interface EntryStat {
  /** POSIX `st_mode`, with the file type. */
  mode: bigint;
  /** Bytes. */
  size: bigint;
  /** Nanoseconds since the epoch, negative before it. */
  mtimeNs: bigint;
  ctimeNs: bigint;
  dev: bigint;
  ino: bigint;
  nlink: bigint;
  /** Device number of a device node. */
  rdev: bigint;
}

/** Ends the name of a directory in a listing. No name has it, and as the lowest byte it leaves the order alone. */
export const directoryMark = "\0";

/**
 * A tree of files as the walker sees it: a directory on disk or one in memory. Paths are relative and clean, `""` is
 * the root. Calls are synchronous, since that costs a third of the CPU time; the walker yields between them.
 */
export interface TreeSource {
  /**
   * The names in a directory, sorted by bytes; those of directories end in {@link directoryMark}. Links are not
   * followed. @throws NodeJS.ErrnoException
   */
  list(path: ByteString): ByteString[];
  /**
   * The same names batch by batch, in any order, for a directory so large that {@link list} would hold up the event
   * loop. Sources that have no such directories do without.
   */
  batches?(path: ByteString): Generator<ByteString[], void>;
  /** `undefined` when there is nothing (ENOENT, ENOTDIR). @throws NodeJS.ErrnoException for anything else. */
  lstat(path: ByteString): EntryStat | undefined;
  /** The text of a symbolic link, `undefined` when it is gone or no link any more. */
  readlink(path: ByteString): ByteString | undefined;
}

/** True for the system errors that say that something is not there. */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** True for the system errors that say that something must not be read. */
export function isForbidden(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "EACCES" || code === "EPERM";
}
