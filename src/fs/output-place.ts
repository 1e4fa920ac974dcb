import type { Stats } from "node:fs";
import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FileWriteError } from "./write-error.js";

/** What a path for output stands for. */
export type OutputPlace =
  /** Something that is open already: written to as it is, never cut, replaced or waited for. */
  | { kind: "descriptor"; path: string; isPipe: boolean }
  | { kind: "pipe"; path: string }
  /** A character device. */
  | { kind: "device"; path: string }
  /** A regular file, which is there or not. `mode` is that of the one that is there. */
  | { kind: "file"; path: string; mode: number | undefined };

/** As many as Linux follows. */
const mostLinks = 40;

/**
 * Finds out what is to be written to: a symbolic link is followed, once and for all, so that the file it leads to is replaced and
 * not the link (SEC-63).
 *
 * @throws FileWriteError for a directory, socket, block device, or a link that leads nowhere; NodeJS.ErrnoException
 */
export async function outputPlace(given: string): Promise<OutputPlace> {
  const absolute = resolve(given);
  const open = await descriptorOf(absolute);
  if (open !== undefined) return { kind: "descriptor", path: open, isPipe: (await stat(open)).isFIFO() };
  const own = await present(lstat(absolute));
  const found = own?.isSymbolicLink() ? await present(stat(absolute)) : own;
  if (found === undefined) {
    if (own) throw new FileWriteError(given, "the symbolic link leads nowhere");
    return { kind: "file", path: absolute, mode: undefined };
  }
  refuseKind(given, found);
  if (found.isFIFO()) return { kind: "pipe", path: absolute };
  if (found.isCharacterDevice()) return { kind: "device", path: absolute };
  return { kind: "file", path: await realpath(absolute), mode: found.mode & 0o777 };
}

/** `/dev/stdout`, what it is a link to, and a link to it: the first path on the way that stands for a descriptor. */
async function descriptorOf(path: string): Promise<string | undefined> {
  let at = path;
  for (let links = 0; links < mostLinks; links++) {
    if (/^\/dev\/(fd\/\d+|stdout|stderr)$|^\/proc\/(self|\d+)\/fd\/\d+$/.test(at)) return at;
    const target = await readlink(at).catch(() => undefined);
    if (target === undefined) return undefined;
    at = resolve(dirname(at), target);
  }
  return undefined;
}

function refuseKind(path: string, stats: Stats): void {
  const refuse = (kind: string) => new FileWriteError(path, `it is a ${kind}`);
  if (stats.isDirectory()) throw refuse("directory");
  if (stats.isSocket()) throw refuse("socket");
  if (stats.isBlockDevice()) throw refuse("block device");
}

async function present<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Name of a file that is not complete, beside the one it becomes. */
export function partPath(target: string, random: string): string {
  // The name limit of file systems is 255 bytes, so long names are cut; the random part keeps them apart.
  const name = Buffer.from(target.slice(dirname(target).length).replace(/^\//, ""));
  const cut = name.subarray(0, 230);
  const shown =
    cut.length < name.length ? cut.toString("latin1").replace(/[^\x20-\x7e]/g, "_") : name.toString();
  return join(dirname(target), `.${shown}.${random}.part`);
}
