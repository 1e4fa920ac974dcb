import { randomBytes } from "node:crypto";
import { type Stats, constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, realpath, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Writable } from "node:stream";
import { isSlipwayError } from "../../core/index.js";
import { setFileMode, syncFile } from "../../fs/index.js";
import { ExportError, errnoOf, ioError } from "./export-error.js";
import type { StreamTarget } from "./export-target.js";
import { openFifo } from "./fifo-file.js";

/** Bytes held before the daemon is stopped. Writes go out as one while the next gather. */
const highWaterMark = 4 * 1024 * 1024;

/** A target that puts the bytes in a file; see {@link openOutputFile}. */
export function fileTarget(path: string): StreamTarget {
  return { type: "stream", open: async (_metadata, signal) => await openOutputFile(path, signal) };
}

/**
 * Opens a file for an output. Nothing is seen of it until it is complete: the bytes go to `.<name>.<random>.part` beside
 * it (0600), which is synced and renamed when the stream is ended, and removed when it is destroyed (SEC-63). A symbolic
 * link to a regular file is followed, once. Named pipes, which are waited for until somebody reads them, character devices and
 * `/dev/fd/*` are written to directly.
 * Missing parents are made with mode 0755 (buildx CreateExports).
 *
 * @param signal ends the waiting for a reader
 * @throws ExportError SESSION_EXPORT_IO, also as the stream's error; AbortedError
 */
export async function openOutputFile(path: string, signal?: AbortSignal): Promise<Writable> {
  try {
    const absolute = resolve(path);
    // What a shell redirected there with `>>` is not to be cut.
    if (isDescriptor(absolute)) return new OutputFile(path, await open(absolute, "a"));
    const { target, stats } = await resolveTarget(absolute);
    if (stats?.isFIFO()) return await openFifo(target, signal);
    if (stats && !stats.isFile()) return new OutputFile(path, await openSpecial(target, stats));
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    const part = join(dirname(target), partName(basename(target)));
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    return new OutputFile(path, await open(part, flags, 0o600), { part, target, mode: finalMode(stats) });
  } catch (error) {
    throw isSlipwayError(error) ? error : ioError("open", path, error);
  }
}

/** The name limit of file systems is 255 bytes, so long names are cut; the random part keeps them apart. */
function partName(name: string): string {
  const random = randomBytes(6).toString("hex");
  const cut = Buffer.from(name).subarray(0, 230);
  return `.${cut.length < Buffer.byteLength(name) ? cut.toString("latin1").replace(/[^\x20-\x7e]/g, "_") : name}.${random}.part`;
}

/** `/dev/stdout` and the like: they are links to whatever is open, and stand for that, also when it is a file. */
function isDescriptor(path: string): boolean {
  return /^\/dev\/(fd\/\d+|stdout|stderr)$|^\/proc\/(self|\d+)\/fd\/\d+$/.test(path);
}

async function resolveTarget(path: string): Promise<{ target: string; stats: Stats | undefined }> {
  const own = await present(lstat(path));
  if (!own?.isSymbolicLink()) return { target: path, stats: own };
  const target = await present(realpath(path));
  if (target === undefined) {
    throw new ExportError("SESSION_EXPORT_IO", `open ${path}: the symbolic link leads nowhere`, { path });
  }
  return { target, stats: await stat(target) };
}

async function present<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function openSpecial(path: string, stats: Stats): Promise<FileHandle> {
  if (stats.isDirectory()) throw refused(path, "is a directory");
  if (stats.isSocket()) throw refused(path, "is a socket");
  if (stats.isBlockDevice()) throw refused(path, "is a block device");
  return await open(path, constants.O_WRONLY | constants.O_NOCTTY);
}

function refused(path: string, what: string): ExportError {
  return new ExportError("SESSION_EXPORT_IO", `destination file ${path} ${what}`, { path });
}

/** The mode of the file that is replaced is kept; a new one gets what the umask leaves of 0666. */
function finalMode(replaced: Stats | undefined): number {
  return replaced ? replaced.mode & 0o777 : 0o666 & ~process.umask();
}

type Callback = (error?: Error | null) => void;

/** Most buffers a writev takes (Linux IOV_MAX). */
const maxVectors = 1024;

interface Placement {
  part: string;
  target: string;
  mode: number;
}

class OutputFile extends Writable {
  readonly #path: string;
  readonly #handle: FileHandle;
  #placement: Placement | undefined;

  constructor(path: string, handle: FileHandle, placement?: Placement) {
    super({ highWaterMark, decodeStrings: true });
    this.#path = path;
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
      failure = ioError(operation, this.#path, error);
    }
    done(failure);
  }
}
