import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { throwIfAborted } from "../core/index.js";
import { setFileMode, syncFile } from "./open-file.js";

/** How {@link writeFileAtomic} writes. */
export interface AtomicFileOptions {
  /** Permission bits of the new file, whatever the umask; default 0600. */
  mode?: number;
  /** Checked before the file takes its name. */
  signal?: AbortSignal;
}

/**
 * Writes a file so that its name shows either the old content or the new, also after a crash: a temporary file in the
 * same directory, synced, renamed over the name, and the directory synced too (STO-13). A failure leaves the old file
 * and no temporary one.
 *
 * @throws NodeJS.ErrnoException that names the path.
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string,
  { mode = 0o600, signal }: AtomicFileOptions = {},
): Promise<void> {
  const dir = dirname(path);
  const temporary = join(dir, `.${basename(path)}.tmp-${randomBytes(6).toString("hex")}`);
  const file = await open(temporary, "wx", mode);
  try {
    try {
      await setFileMode(file, temporary, mode);
      await file.writeFile(data);
      await syncFile(file);
    } finally {
      await file.close();
    }
    throwIfAborted(signal);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {}); // the first failure is the one to tell
    throw naming(path, error);
  }
  await syncDirectory(dir);
}

/** Node names no path in errors of write(2) and fsync(2): on a full disk it is needed most. */
function naming(path: string, error: unknown): unknown {
  if (error instanceof Error && (error as NodeJS.ErrnoException).syscall && !("path" in error)) {
    error.message += ` '${path}'`;
    Object.assign(error, { path });
  }
  return error;
}

/** Makes the names in a directory last. File systems that cannot sync a directory are left as they are. */
export async function syncDirectory(dir: string): Promise<void> {
  let handle;
  try {
    handle = await open(dir, "r");
    await syncFile(handle);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (
      code !== "EINVAL" &&
      code !== "ENOTSUP" &&
      code !== "EACCES" &&
      code !== "EPERM" &&
      code !== "EISDIR"
    ) {
      throw error;
    }
  } finally {
    await handle?.close();
  }
}
