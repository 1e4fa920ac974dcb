import { type PathLike, chmodSync, fchmodSync, fsync, futimesSync, utimesSync } from "node:fs";
import { type FileHandle, chmod } from "node:fs/promises";
import { promisify } from "node:util";

// What can be done with an open file is less where Node's permission model is on (`--permission` refuses fchmod, futimes, and
// in some versions fsync, whatever is allowed; measured on 20.19 to 26), and where `node:fs` is wrapped (Yarn Plug'n'Play
// throws for FileHandle.sync). The path does as well there.

const fsyncDescriptor = promisify(fsync);

/** Puts a file's bytes on the disk, where that is allowed. @throws NodeJS.ErrnoException */
export async function syncFile(file: FileHandle): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    if (!isMissing(error)) throw error;
    await fsyncDescriptor(file.fd).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
}

/**
 * Gives an open file exactly these permission bits, whatever the umask; `path` is where it was opened.
 * @throws NodeJS.ErrnoException
 */
export async function setFileMode(file: FileHandle, path: string, mode: number): Promise<void> {
  // Most files were opened with the mode that they shall have: nothing to do, also where modes cannot be changed.
  if (((await file.stat()).mode & 0o7777) === mode) return;
  try {
    await file.chmod(mode);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await chmod(path, mode);
  }
}

/**
 * Mode and then times of an open file or directory, in the order that keeps setuid and the times; `path` leads to it. `time` as Node takes it.
 * @throws NodeJS.ErrnoException
 */
export function setMetadataSync(fd: number, path: PathLike, mode: number, time: number | string): void {
  try {
    fchmodSync(fd, mode);
  } catch (error) {
    if (!isMissing(error)) throw error;
    chmodSync(path, mode);
  }
  try {
    futimesSync(fd, time, time);
  } catch (error) {
    if (!isMissing(error)) throw error;
    utimesSync(path, time, time);
  }
}

/** True for errors of calls that are not available at all, in contrast to calls that the system refuses for this file. */
function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || code === "ERR_ACCESS_DENIED";
}
