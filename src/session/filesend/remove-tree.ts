import { randomBytes } from "node:crypto";
import { readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { errnoOf } from "./export-error.js";
import {
  type OpenDirectory,
  closeDirectory,
  entryPath,
  makeAccessible,
  openChild,
  selfPath,
} from "../../fs/index.js";
import type { TimeSlice } from "./time-slice.js";

/** Directories held open at a time; what lies deeper is moved up before it is removed. */
const maxDepth = 32;

interface Level {
  directory: OpenDirectory;
  name: Buffer;
  left: Buffer[];
}

/**
 * Removes an entry of a directory and all below it, never following a link and without a limit to the depth. A name
 * that is gone already is fine.
 */
export async function removeTree(parent: OpenDirectory, name: Buffer, slice: TimeSlice): Promise<void> {
  if (unlinked(parent, name)) return;
  const levels: Level[] = [];
  try {
    enter(levels, parent, name);
    while (levels.length > 0) {
      if (slice.spent()) await slice.pause();
      const level = levels[levels.length - 1] as Level;
      const entry = level.left.pop();
      if (entry === undefined) {
        levels.pop();
        closeDirectory(level.directory);
        rmdirSync(entryPath((levels[levels.length - 1]?.directory ?? parent).prefix, level.name));
      } else if (unlinked(level.directory, entry)) continue;
      else if (levels.length < maxDepth) enter(levels, level.directory, entry);
      else {
        const top = levels[0] as Level;
        const moved = Buffer.from(`.slipway-${randomBytes(9).toString("hex")}`);
        renameSync(entryPath(level.directory.prefix, entry), entryPath(top.directory.prefix, moved));
        top.left.push(moved);
      }
    }
  } finally {
    for (const level of levels) closeDirectory(level.directory);
  }
}

/** Removes an entry that is no directory; false when it is one. */
function unlinked(parent: OpenDirectory, name: Buffer): boolean {
  try {
    unlinkSync(entryPath(parent.prefix, name));
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return true;
    // EISDIR on Linux, EPERM by POSIX. A file that may not be removed fails again as a directory, with ENOTDIR.
    if (errno === "EISDIR" || (errno === "EPERM" && isDirectory(parent, name))) return false;
    throw error;
  }
}

function isDirectory(parent: OpenDirectory, name: Buffer): boolean {
  const directory = openChild(parent, name);
  if (directory) closeDirectory(directory);
  return directory !== undefined;
}

function enter(levels: Level[], parent: OpenDirectory, name: Buffer): void {
  const directory = openChild(parent, name);
  if (!directory) return;
  makeAccessible(directory);
  try {
    const left = readdirSync(selfPath(directory), { encoding: "buffer" });
    levels.push({ directory, name, left });
  } catch (error) {
    closeDirectory(directory);
    throw error;
  }
}
