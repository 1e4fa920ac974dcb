import type { Writable } from "node:stream";
import { FileWriteError, openOutputFile as openFile } from "../../fs/index.js";
import { ExportError, ioError } from "./export-error.js";
import type { StreamTarget } from "./export-target.js";

/** A target that puts the bytes in a file; see {@link openOutputFile}. */
export function fileTarget(path: string): StreamTarget {
  return { type: "stream", open: async (_metadata, signal) => await openOutputFile(path, signal) };
}

/**
 * Opens a file for an output. Nothing is seen of it until it is complete: the bytes go to `.<name>.<random>.part` beside
 * it (0600), which is synced and renamed when the stream is ended, and removed when it is destroyed. A symbolic
 * link to a regular file is followed, once. Named pipes, which are waited for until somebody reads them, character devices and
 * `/dev/fd/*` are written to directly.
 * Missing parents are made with mode 0755 (buildx CreateExports).
 *
 * @param signal ends the waiting for a reader
 * @throws ExportError SESSION_EXPORT_IO, also as the stream's error; AbortedError
 */
export async function openOutputFile(path: string, signal?: AbortSignal): Promise<Writable> {
  return openFile(path, { signal, errorOf });
}

function errorOf(operation: string, path: string, cause: unknown): ExportError {
  if (!(cause instanceof FileWriteError)) return ioError(operation, path, cause);
  return new ExportError("SESSION_EXPORT_IO", cause.message, { path, cause });
}
