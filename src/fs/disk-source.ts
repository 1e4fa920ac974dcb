import {
  type Dirent,
  lstatSync,
  opendirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from "node:fs";
import { type ByteString, toPath } from "./bytes.js";
import { InvalidArgumentError, SlipwayError, messageOf } from "../core/index.js";
import { HeldDirectories } from "./held-directories.js";
import { baseOf, parentOf } from "./paths.js";
import { type EntryStat, type TreeSource, directoryMark, isGone } from "./tree-source.js";

const statOptions = { bigint: true, throwIfNoEntry: false } as const;
// node takes any of its encodings for names; its types know only those of text.
const nameEncoding = "latin1" as BufferEncoding;
const batchLength = 4096;
const listOptions = { encoding: "latin1", withFileTypes: true } as const;

/** A directory on disk. */
export interface DiskSource extends TreeSource {
  /** Absolute path of the directory, its own links resolved, without a `/` at the end (so `""` is the file system's root). */
  readonly root: ByteString;
  /**
   * The path of an entry for calls of node:fs. Somebody may replace a directory on the way by a link. So whatever is
   * opened by this path must be checked: device and inode must be those that {@link lstat} saw, which looks into
   * directories that are held open.
   */
  pathOf(path: ByteString): string | Buffer;
  /** Closes the directories that are held; the source is of no use afterwards. Idempotent. */
  close(): void;
}

/**
 * Opens a directory for walking. Symbolic links in `path` itself are resolved once, here (FLT-74).
 * @throws InvalidArgumentError when it is not there or is no directory.
 */
export function diskSource(path: string): DiskSource {
  let root: ByteString;
  let directories: HeldDirectories;
  try {
    root = realpathSync(path, "buffer").toString("latin1");
    if (!statSync(toPath(root)).isDirectory()) {
      throw new InvalidArgumentError(`"${path}" is not a directory`);
    }
    directories = new HeldDirectories(toPath(root));
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    throw new InvalidArgumentError(`cannot use directory "${path}": ${messageOf(error)}`, { cause: error });
  }
  if (root === "/") root = "";
  const pathOf = (relative: ByteString) =>
    relative === "" ? toPath(root || "/") : toPath(`${root}/${relative}`);
  const directoryOf = (relative: ByteString) => toPath(`${directories.prefixOf(relative)}.`);
  const heldPathOf = (relative: ByteString) =>
    relative === "" ? directoryOf("") : toPath(directories.prefixOf(parentOf(relative)) + baseOf(relative));
  return {
    root,
    pathOf,
    close: () => directories.close(),
    list: (relative) => readdirSync(directoryOf(relative), listOptions).map(markedName).sort(),
    *batches(relative) {
      const dir = opendirSync(directoryOf(relative), { encoding: nameEncoding, bufferSize: batchLength });
      try {
        for (let names: ByteString[] = []; ; names = []) {
          for (let entry = dir.readSync(); entry; entry = dir.readSync()) {
            if (names.push(markedName(entry)) === batchLength) break;
          }
          if (names.length > 0) yield names;
          if (names.length < batchLength) return;
        }
      } finally {
        dir.closeSync();
      }
    },
    lstat(relative): EntryStat | undefined {
      try {
        return lstatSync(heldPathOf(relative), statOptions);
      } catch (error) {
        if (isGone(error)) return undefined; // ENOTDIR throws in spite of the option
        throw error;
      }
    },
    readlink(relative) {
      try {
        return readlinkSync(heldPathOf(relative), "latin1");
      } catch (error) {
        if (isGone(error) || (error as NodeJS.ErrnoException).code === "EINVAL") return undefined;
        throw error;
      }
    },
  };
}

function markedName(entry: Dirent): ByteString {
  return entry.isDirectory() ? entry.name + directoryMark : entry.name;
}
