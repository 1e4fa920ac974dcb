import type { Stats } from "node:fs";
import { lstat, stat } from "node:fs/promises";

/**
 * What is at a path that is to be written; undefined for nothing. A link that leads nowhere is not nothing: neither a directory
 * nor a file can be made at its place.
 *
 * @throws NodeJS.ErrnoException, whose message is the reason alone for such a link
 */
export async function statOutput(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const own = await lstat(path).catch(() => undefined);
    if (own?.isSymbolicLink()) throw new Error("the symbolic link leads nowhere", { cause: error });
    return undefined;
  }
}
