import { constants } from "node:fs";
import { access, lstat, readlink, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InvalidArgumentError } from "../core/index.js";
import {
  type DiskSource,
  FileReadError,
  diskSource,
  goMode,
  goModeOf,
  readBounded,
  resolveInside,
  systemReason,
  toBytes,
} from "../fs/index.js";

/** Largest ignore file, in bytes: its patterns come back in the headers of one request, which BuildKit limits. */
export const largestIgnoreFile = 16 << 20;
/** Bytes of a Dockerfile, at most: the frontend reads it as one message (BK frontend/gateway, 16 MiB). */
export const largestDockerfile = 16 << 20;

/** What has no content to be sent, by mode bit. */
const specialKinds: readonly [bit: number, name: string][] = [
  [goMode.fifo, "a named pipe"],
  [goMode.device, "a device"],
];

/**
 * The content of a Dockerfile that is no file in a directory: a named pipe, or something that is open already (`-f <(…)`,
 * `-f /dev/stdin`). Undefined for all others, which the builder asks for itself.
 *
 * @throws InvalidArgumentError, AbortedError
 */
export async function dockerfileFromPipe(file: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  const path = resolve(file);
  const isOpen = /^\/dev\/(fd\/\d+|stdin)$|^\/proc\/(self|\d+)\/fd\/\d+$/.test(path);
  const entry = await lstat(path).catch(() => undefined);
  if (!isOpen && !entry?.isFIFO() && !entry?.isCharacterDevice()) return undefined;
  try {
    return await readBounded(path, { limit: largestDockerfile, special: "read", signal });
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    throw notUsable("failed to read dockerfile", file, error.reason, error);
  }
}

/** How {@link checkInputFile} checks. */
export interface InputFileCheck {
  /** Begins the error. */
  what: string;
  /** It must be there; else only what is there is checked. */
  required?: boolean;
  /** Bytes. */
  limit: number;
}

/**
 * Checks a file that the builder will read in a directory: a link is followed as the builder does, inside the directory, and not
 * on this machine.
 *
 * @throws InvalidArgumentError for what is not there, is no file, or cannot be read.
 */
export async function checkInputFile(
  directory: string,
  name: string,
  { what, required = false, limit }: InputFileCheck,
): Promise<void> {
  const path = join(directory, name);
  let source: DiskSource | undefined;
  try {
    source = diskSource(directory);
    const found = resolveInside(source, toBytes(name));
    if (!found) {
      if (required) throw new Error(await whyMissing(directory, name));
      return;
    }
    const mode = goModeOf(Number(found.stat.mode));
    const kind = specialKinds.find(([bit]) => (mode & bit) !== 0);
    if (kind) throw new Error(`it is ${kind[1]}, not a regular file`);
    if (found.stat.size > limit)
      throw new Error(`it has ${found.stat.size} bytes, and no more than ${limit} can be used`);
    await access(source.pathOf(found.path === "." ? "" : found.path), constants.R_OK);
  } catch (error) {
    // The directory itself may be what is not there.
    const { cause = error } = error as Error;
    throw notUsable(what, path, systemReason(cause), error);
  } finally {
    source?.close();
  }
}

async function whyMissing(directory: string, name: string): Promise<string> {
  const target = await readlink(join(directory, name)).catch(() => undefined);
  const missing = "no such file or directory";
  return target === undefined
    ? missing
    : `${missing}: it is a link to ${target}, which the builder looks for inside ${directory}`;
}

function notUsable(what: string, path: string, reason: string, cause: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`${what}: open ${path}: ${reason}`, { cause });
}

/** Checks an ignore file, if there is one. */
export async function checkIgnoreFile(directory: string, name: string, what: string): Promise<void> {
  await checkInputFile(directory, name, { what, limit: largestIgnoreFile });
}

export async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}
