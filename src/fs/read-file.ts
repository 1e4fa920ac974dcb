import { type BigIntStats, close, constants, fstat, open, read } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";
import { SlipwayError, abortError, sleep, throwIfAborted } from "../core/index.js";
import { systemReason } from "./system-error.js";

/** How a file is read by {@link readBounded}. */
export interface BoundedRead {
  /** Most bytes that are taken; a longer file is an error as soon as that shows. */
  limit: number;
  /** Ends the waiting for whoever writes a pipe. */
  signal?: AbortSignal | undefined;
  /**
   * Whether a named pipe (`pipe`) or a character device as well (`read`) is read to its end, as for a file that somebody names
   * (`<(…)`, `/dev/stdin`). The default is `refuse`, as for a file that is looked for where it always is.
   */
  special?: "refuse" | "pipe" | "read";
  /** Whether a symbolic link in the file's place is followed; default true. */
  followLinks?: boolean;
  /** Called when it turns out to be a named pipe, whose bytes can be had only once. */
  onPipe?: () => void;
}

/** A file could not be read. `reason` says why without the path, `errno` is the system's code, or the one that fits best. */
export class FileReadError extends SlipwayError {
  readonly path: string;
  readonly reason: string;
  readonly errno: string;

  constructor(path: string, reason: string, errno: string, cause?: unknown) {
    super("FS_READ", `cannot read ${path}: ${reason}`, { cause });
    this.path = path;
    this.reason = reason;
    this.errno = errno;
  }

  /** There is no such file. */
  get isMissing(): boolean {
    return this.errno === "ENOENT" || this.errno === "ENOTDIR";
  }
}

/**
 * Reads a whole file of at most `limit` bytes. The only way in which files are read that somebody else wrote: it stops at the
 * limit whatever size the file is said to have (`/dev/zero`), and no thread waits in open(2) or read(2) for a pipe's writer, which
 * would keep the whole process from ending (O_NONBLOCK).
 *
 * @throws FileReadError, AbortedError
 */
export async function readBounded(path: string, options: BoundedRead): Promise<Buffer> {
  throwIfAborted(options.signal);
  const noFollow = options.followLinks === false ? constants.O_NOFOLLOW : 0;
  const flags = constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK | noFollow;
  const fd = await promisify(open)(path, flags).catch((error: unknown) => {
    throw readError(path, error);
  });
  return await readOpened(fd, path, options);
}

/**
 * As {@link readBounded}, from a descriptor that was opened with O_NONBLOCK, and is closed here.
 *
 * @throws FileReadError, AbortedError
 */
export async function readOpened(fd: number, path: string, options: BoundedRead): Promise<Buffer> {
  const { limit, special = "refuse", signal } = options;
  let isPipe = false;
  try {
    const stat = await promisify(fstat)(fd, { bigint: true });
    refuseKind(path, stat, special);
    if (stat.isFile() && stat.size > limit) throw tooLong(path, limit);
    isPipe = stat.isFIFO();
    if (!isPipe) return await readToEnd(fd, path, { limit, signal, size: Number(stat.size) });
  } catch (error) {
    throw error instanceof SlipwayError ? error : readError(path, error);
  } finally {
    if (!isPipe) await promisify(close)(fd);
  }
  options.onPipe?.();
  return await readPipe(fd, path, limit, signal);
}

/** What is read when a file need not be there: its content, or `undefined`. @throws FileReadError, AbortedError */
export async function readIfThere(path: string, options: BoundedRead): Promise<Buffer | undefined> {
  try {
    return await readBounded(path, options);
  } catch (error) {
    if (error instanceof FileReadError && error.isMissing) return undefined;
    throw error;
  }
}

/**
 * Everything a stream has, of at most `limit` bytes. `name` is for the error.
 *
 * @throws FileReadError; whatever the stream fails with
 */
export async function readStreamBounded(
  stream: AsyncIterable<unknown>,
  name: string,
  limit: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > limit) throw tooLong(name, limit);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, length);
}

/** Refuses what has no bytes to be read, and what is `special` unless that is wanted. @throws FileReadError */
export function refuseKind(
  path: string,
  stat: BigIntStats,
  special: NonNullable<BoundedRead["special"]>,
): void {
  if (stat.isFile()) return;
  if (stat.isDirectory()) throw new FileReadError(path, "it is a directory", "EISDIR");
  if (stat.isSocket()) throw new FileReadError(path, "it is a socket", "ENXIO");
  if (stat.isBlockDevice()) throw new FileReadError(path, "it is a block device", "ENXIO");
  if (special === "read" || (special === "pipe" && stat.isFIFO())) return;
  const kind = stat.isFIFO() ? "named pipe" : "device";
  throw new FileReadError(path, `it is a ${kind}, not a regular file`, "ENXIO");
}

/** Until the end, whatever size the file was said to have. */
async function readToEnd(
  fd: number,
  path: string,
  { limit, signal, size }: { limit: number; signal: AbortSignal | undefined; size: number },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (let room = size + 1; ; room = 64 * 1024) {
    throwIfAborted(signal);
    // One byte more than may be there, so that a file of just the limit ends.
    const chunk = Buffer.allocUnsafe(Math.max(1, Math.min(room, limit + 1 - length)));
    const { bytesRead } = await promisify(read)(fd, chunk, 0, chunk.length, null).catch(onTerminal);
    if (bytesRead === 0) return Buffer.concat(chunks, length);
    if (bytesRead < 0) {
      await sleep(50, signal);
      continue;
    }
    length += bytesRead;
    if (length > limit) throw tooLong(path, limit);
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

/** A terminal on which nothing was typed yet. */
function onTerminal(error: unknown): { bytesRead: number } {
  if ((error as NodeJS.ErrnoException).code === "EAGAIN") return { bytesRead: -1 };
  throw error;
}

/** Waits for a writer, and reads until the last one has closed. Closes the descriptor. */
async function readPipe(
  fd: number,
  path: string,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const socket = new Socket({ fd, writable: false, ...(signal && { signal }) });
  try {
    return await readStreamBounded(socket as AsyncIterable<Buffer>, path, limit);
  } catch (error) {
    if (signal?.aborted) throw abortError(signal);
    throw error instanceof SlipwayError ? error : readError(path, error);
  } finally {
    socket.destroy();
  }
}

function tooLong(path: string, limit: number): FileReadError {
  return new FileReadError(path, `it is larger than ${limit} bytes, the most that is read`, "EFBIG");
}

/** The error for what the system refused. ENXIO is what open(2) says of a socket. */
export function readError(path: string, error: unknown): FileReadError {
  const { code = "EIO" } = error as NodeJS.ErrnoException;
  if (code === "ENXIO") return new FileReadError(path, "it is a socket, or a device that is not there", code);
  return new FileReadError(path, systemReason(error), code, error);
}
