import { closeSync, constants, openSync, unlinkSync, writeSync } from "node:fs";
import { ExportError, errnoOf, ioError } from "./export-error.js";
import { type ExportTree, setMetadata } from "./export-tree.js";
import { entryPath } from "../../fs/index.js";

/** Flags that only make a new file, and follow no link. */
export const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A regular file of an export as announced. */
export interface ExportFile {
  parent: number;
  name: Buffer;
  /** Mode as chmod takes it. */
  mode: number;
  /** Bytes. */
  size: number;
  /** Microseconds since the epoch. */
  mtime: number;
}

/**
 * Writes a file whose content is at hand, synchronously. Where nothing stands in the way it is made under its own name:
 * a rename would cost as much as all the rest, and a file that could not be written in full is removed again. What is
 * there already is replaced by a rename, for which the promise returned has to be awaited.
 *
 * @throws ExportError SESSION_EXPORT_IO
 */
export function writeSmallFile(tree: ExportTree, file: ExportFile, data: Buffer): Promise<void> | undefined {
  const { prefix } = tree.directory(file.parent);
  try {
    writeNew(entryPath(prefix, file.name), file, data);
    return undefined;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return replace(tree, file, data);
    throw ioError("write", tree.pathOf(file.parent, file.name), error);
  }
}

async function replace(tree: ExportTree, file: ExportFile, data: Buffer): Promise<void> {
  const temporary = tree.temporaryName();
  const path = () => entryPath(tree.directory(file.parent).prefix, temporary);
  try {
    writeNew(path(), file, data);
  } catch (error) {
    throw ioError("write", tree.pathOf(file.parent, file.name), error);
  }
  try {
    await tree.rename(file.parent, temporary, file.name);
  } catch (error) {
    unlinkSync(path());
    throw error instanceof ExportError ? error : ioError("write", tree.pathOf(file.parent, file.name), error);
  }
}

function writeNew(path: Buffer, file: ExportFile, data: Buffer): void {
  const fd = openSync(path, createFlags, 0o600);
  try {
    for (let at = 0; at < data.length;) at += writeSync(fd, data, at);
    setMetadata(fd, path, file.mode, file.mtime);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}
