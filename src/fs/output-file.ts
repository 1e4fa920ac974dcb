import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { Writable } from "node:stream";
import { AbortedError } from "../core/index.js";
import { openFifo } from "./fifo-file.js";
import { makeDirectory } from "./make-directory.js";
import { setFileMode, syncFile } from "./open-file.js";
import { type OutputPlace, outputPlace, partPath } from "./output-place.js";
import { writeError } from "./write-error.js";

/** Bytes held before the writer has to wait. Writes go out as one while the next gather. */
const highWaterMark = 4 * 1024 * 1024;

/** How a file for output is opened. */
export interface OutputFileOptions {
  /** Ends the waiting for whoever reads a pipe. */
  signal?: AbortSignal | undefined;
  /** Makes the errors; default {@link FileWriteError}. */
  errorOf?: (operation: string, path: string, cause: unknown) => Error;
}

/**
 * Opens a file for output. Nothing is seen of it until it is complete: the bytes go to `.<name>.<random>.part` beside
 * it (0600), which is synced and renamed when the stream is ended, and removed when it is destroyed. A symbolic
 * link to a regular file is followed, once. Named pipes, which are waited for until somebody reads them, character devices and
 * `/dev/fd/*` are written to directly.
 * Missing parents are made with mode 0755 (buildx CreateExports).
 *
 * @throws FileWriteError, also as the stream's error; AbortedError
 */
export async function openOutputFile(path: string, options: OutputFileOptions = {}): Promise<Writable> {
  const { errorOf = (_, at, cause) => writeError(at, cause) } = options;
  try {
    const place = await outputPlace(path);
    if (place.kind === "file") await makeDirectory(dirname(place.path), 0o755);
    return await openPlace(place, {
      ...options,
      errorOf: (operation, cause) => errorOf(operation, path, cause),
    });
  } catch (error) {
    throw error instanceof AbortedError ? error : errorOf("open", path, error);
  }
}

/** As {@link openOutputFile}, for a place that was found before. @throws NodeJS.ErrnoException, AbortedError */
export async function openPlace(
  place: OutputPlace,
  { errorOf, signal }: { errorOf: ErrorOf; signal?: AbortSignal | undefined },
): Promise<Writable> {
  const isPipe = place.kind === "pipe" || (place.kind === "descriptor" && place.isPipe);
  if (isPipe)
    return openFifo(place.path, {
      signal,
      wait: place.kind === "pipe",
      errorOf: (error) => errorOf("write", error),
    });
  switch (place.kind) {
    // A file that the shell opened with `>>` must not be truncated.
    case "descriptor":
      return new OutputFile(await open(place.path, "a"), errorOf);
    case "file": {
      const part = partPath(place.path, randomBytes(6).toString("hex"));
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      // The mode of the file that is replaced is kept; a new one gets what the umask leaves of 0666.
      const mode = place.mode ?? 0o666 & ~process.umask();
      return new OutputFile(await open(part, flags, 0o600), errorOf, { part, target: place.path, mode });
    }
    default:
      return new OutputFile(await open(place.path, constants.O_WRONLY | constants.O_NOCTTY), errorOf);
  }
}

/** Makes an error from what the system says of an operation. */
type ErrorOf = (operation: string, cause: unknown) => Error;

type Callback = (error?: Error | null) => void;

/** Most buffers a writev takes (Linux IOV_MAX). */
const maxVectors = 1024;

interface Placement {
  part: string;
  target: string;
  mode: number;
}

class OutputFile extends Writable {
  readonly #errorOf: ErrorOf;
  readonly #handle: FileHandle;
  #placement: Placement | undefined;

  constructor(handle: FileHandle, errorOf: ErrorOf, placement?: Placement) {
    super({ highWaterMark, decodeStrings: true });
    this.#errorOf = errorOf;
    this.#handle = handle;
    this.#placement = placement;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Callback): void {
    void this.#attempt("write", done, () => this.#writeAll([chunk]));
  }

  override _writev(chunks: { chunk: Buffer }[], done: Callback): void {
    void this.#attempt("write", done, async () => {
      for (let at = 0; at < chunks.length; at += maxVectors) {
        await this.#writeAll(chunks.slice(at, at + maxVectors).map(({ chunk }) => chunk));
      }
    });
  }

  override _final(done: Callback): void {
    void this.#attempt("write", done, async () => {
      const placement = this.#placement;
      if (!placement) return;
      await setFileMode(this.#handle, placement.part, placement.mode);
      await syncFile(this.#handle);
      await rename(placement.part, placement.target);
      this.#placement = undefined;
    });
  }

  override _destroy(error: Error | null, done: Callback): void {
    const report: Callback = (failure) => done(error ?? failure);
    void this.#attempt("close", report, async () => {
      const part = this.#placement?.part;
      this.#placement = undefined;
      try {
        if (part) await unlink(part);
      } finally {
        await this.#handle.close();
      }
    });
  }

  async #writeAll(buffers: Buffer[]): Promise<void> {
    let left = buffers;
    let missing = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    while (missing > 0) {
      const { bytesWritten } = await this.#handle.writev(left);
      missing -= bytesWritten;
      if (missing > 0) left = [Buffer.concat(left).subarray(bytesWritten)];
    }
  }

  async #attempt(operation: string, done: Callback, work: () => Promise<void>): Promise<void> {
    let failure: Error | undefined;
    try {
      await work();
    } catch (error) {
      failure = this.#errorOf(operation, error);
    }
    done(failure);
  }
}
