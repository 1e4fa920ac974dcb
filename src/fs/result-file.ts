import { randomBytes } from "node:crypto";
import { access, constants, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { types } from "node:util";
import { AbortedError, orAborted } from "../core/index.js";
import { openPlace } from "./output-file.js";
import { type OutputPlace, outputPlace, partPath } from "./output-place.js";
import { FileWriteError, writeError } from "./write-error.js";

/** Bytes that a disk must have left before a long work begins. */
const probe = Buffer.alloc(4096);

/** A file for a result that is yet to come. */
export interface ResultFile {
  readonly path: string;
  /** Removes what an earlier run has written there. Devices and pipes are left alone. @throws FileWriteError */
  discard(): Promise<void>;
  /**
   * Writes the result in one piece: the file is there whole, or as it was before.
   *
   * @throws FileWriteError that names the path; whatever a stream fails with; AbortedError
   */
  write(content: string | Uint8Array | Readable, signal?: AbortSignal): Promise<void>;
}

/**
 * Finds out where a result goes, and that it can be written there, before the work begins. The rules are those of {@link
 * openOutputFile}, but that missing directories are an error, as for buildx.
 *
 * @param what names what the file is, in errors
 * @throws FileWriteError that names the path
 */
export async function prepareResultFile(path: string, what?: string): Promise<ResultFile> {
  const named = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof AbortedError ? error : writeError(path, error, what);
    }
  };
  const place = await named(async () => {
    const found = await outputPlace(path);
    await checkPlace(path, found);
    return found;
  });
  return {
    path,
    discard: () => named(() => discard(place)),
    async write(content, signal) {
      const errorOf = (_: string, cause: unknown) => writeError(path, cause, what);
      const file = await named(() => openPlace(place, { errorOf, signal }));
      const source = typeof content === "string" ? Buffer.from(content) : content;
      const chunks = types.isUint8Array(source) ? [source] : source;
      await orAborted(signal, pipeline(chunks, file, signal ? { signal } : {}));
    },
  };
}

async function checkPlace(path: string, place: OutputPlace): Promise<void> {
  if (place.kind === "descriptor") return;
  if (place.kind !== "file") return access(place.path, constants.W_OK);
  const part = partPath(place.path, randomBytes(6).toString("hex"));
  const file = await open(part, "wx", 0o600).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new FileWriteError(path, `there is no directory ${dirname(path)}`, { cause: error });
  });
  try {
    await file.writeFile(probe);
  } finally {
    await file.close();
    await unlink(part);
  }
}

async function discard(place: OutputPlace): Promise<void> {
  if (place.kind !== "file") return;
  await unlink(place.path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  });
}
