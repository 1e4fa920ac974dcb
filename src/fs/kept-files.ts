import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomic } from "./atomic-file.js";
import { makeDirectory } from "./make-directory.js";
import { setAside } from "./set-aside.js";
import { sharedReason } from "./shared-directory.js";

/**
 * Writes a file of a directory in which a program remembers things for later runs. Of the directory's files the `most` that
 * were written last stay. Does nothing in a directory that others may write to: what is read there could not be trusted
 * (SEC-70). Never fails: whoever finds nothing there does without.
 */
export async function keepFile(
  path: string,
  content: string | Buffer,
  { most }: { most: number },
): Promise<void> {
  const directory = dirname(path);
  try {
    await makeDirectory(directory, 0o700);
    if (sharedReason(directory) !== undefined) return;
    await writeFileAtomic(path, content, { mode: 0o600 });
    for (const old of setAside(directory, { most })) await rm(old, { force: true });
  } catch {
    // A directory that cannot be written: see above.
  }
}
