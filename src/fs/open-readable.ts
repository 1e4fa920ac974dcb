import { close, constants, createReadStream, fstat, open } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { SlipwayError, throwIfAborted } from "../core/index.js";
import { readError, refuseKind } from "./read-file.js";

/**
 * Opens a regular file or a named pipe that is too large to be read as a whole. Waiting for a pipe's writer ends with the
 * signal, and holds no thread.
 *
 * @throws FileReadError, AbortedError
 */
export async function openReadable(
  path: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Readable> {
  throwIfAborted(signal);
  let fd: number | undefined;
  try {
    fd = await promisify(open)(path, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
    const stat = await promisify(fstat)(fd, { bigint: true });
    refuseKind(path, stat, "pipe"); // a device may have no end
    const options = { fd, ...(signal && { signal }) };
    return stat.isFIFO() ? new Socket({ ...options, writable: false }) : createReadStream(path, options);
  } catch (error) {
    if (fd !== undefined) await promisify(close)(fd);
    throw error instanceof SlipwayError ? error : readError(path, error);
  }
}
