import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { FileReadError, pathWithin, readBounded, systemReason } from "../fs/index.js";
import { BakeError } from "./bake-error.js";

/** No definition, file of variables or the like is longer, bytes. */
export const longestSource = 16 * 1024 * 1024;

/** A file that a bake is described by. */
export interface SourceFile {
  /** As it was named, for messages. */
  name: string;
  /** Where a relative name stands. */
  cwd: string;
  signal?: AbortSignal | undefined;
  /** Somebody named it, so that a pipe or a device is read; one that is looked for where it always is must be a regular file. */
  isNamed: boolean;
  /** Somebody else names it, who may name nothing outside of the working directory. */
  isForeign?: boolean | undefined;
}

/**
 * Reads a file that belongs to a definition; undefined when there is none.
 *
 * @throws BakeError for one that cannot be read, or is too long; AbortedError
 */
export async function readSource({
  name,
  cwd,
  signal,
  isNamed,
  isForeign = false,
}: SourceFile): Promise<Buffer | undefined> {
  if (isForeign) await requireInside(name, cwd);
  try {
    return await readBounded(path.resolve(cwd, name), {
      limit: longestSource,
      signal,
      special: isNamed ? "read" : "refuse",
    });
  } catch (cause) {
    if (!(cause instanceof FileReadError)) throw cause;
    if (cause.errno === "ENOENT") return undefined;
    throw new BakeError(`open ${name}: ${cause.reason}`, { cause });
  }
}

/** What a definition that was fetched names must lie in the working directory, also by where links lead. */
async function requireInside(name: string, cwd: string): Promise<void> {
  const real = await realpath(path.resolve(cwd, name)).catch(() => undefined);
  if (real === undefined || pathWithin(await realpath(path.resolve(cwd)), real) !== undefined) return;
  throw new BakeError(
    `open ${name}: it is outside of the working directory, of which alone a definition that was fetched may read files`,
  );
}

/** {@link readSource}, of a file that must be there. */
export async function requireSource(file: SourceFile): Promise<Buffer> {
  const content = await readSource(file);
  if (content) return content;
  throw new BakeError(`open ${file.name}: no such file or directory`);
}

/** A file that must be there, which is not read: a pipe gives its bytes once. @throws BakeError */
export async function requireThere(name: string, cwd: string): Promise<void> {
  await stat(path.resolve(cwd, name)).catch((cause: unknown) => {
    throw new BakeError(`stat ${name}: ${systemReason(cause)}`, { cause });
  });
}
