import { closeSync, openSync, unlinkSync, writev } from "node:fs";
import { ioError } from "./export-error.js";
import { type ExportTree, setMetadata } from "./export-tree.js";
import { entryPath } from "../../fs/index.js";
import { type ExportFile, createFlags } from "./small-file.js";

/** Most buffers a writev takes (Linux IOV_MAX). */
const maxVectors = 1024;

/** What a buffer costs beside its bytes, so that floods of tiny ones count. */
const overhead = 256;

/**
 * The bytes that large files hold back, together: {@link full} asks the reader of the stream to wait for {@link room}.
 */
export class WriteBudget {
  readonly #limit: number;
  #held = 0;
  #waiting: (() => void) | undefined;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#held > this.#limit;
  }

  /** Resolves when half of the budget is free. */
  async room(): Promise<void> {
    if (this.#held <= this.#limit / 2) return;
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Accounts for bytes taken (positive) or let go (negative). */
  add(bytes: number): void {
    this.#held += bytes;
    if (this.#held <= this.#limit / 2) {
      this.#waiting?.();
      this.#waiting = undefined;
    }
  }
}

/**
 * A file too large to be collected first: written beside its place as the bytes come in, by the thread pool, and
 * renamed when complete (FLT-9: no torn file under its own name).
 */
export class LargeFile {
  readonly #tree: ExportTree;
  readonly #file: ExportFile;
  readonly #budget: WriteBudget;
  readonly #temporary: Buffer;
  #fd: number;
  #queue: Buffer[] = [];
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;

  /** @throws ExportError SESSION_EXPORT_IO */
  constructor(tree: ExportTree, file: ExportFile, budget: WriteBudget) {
    this.#tree = tree;
    this.#file = file;
    this.#budget = budget;
    this.#temporary = tree.temporaryName();
    try {
      this.#fd = openSync(this.#path(), createFlags, 0o600);
    } catch (error) {
      throw this.#error(error);
    }
  }

  /**
   * Takes bytes, which must not be changed afterwards. Never waits; the budget says when to.
   * @throws what an earlier write failed with
   */
  append(data: Buffer): void {
    if (this.#failure) throw this.#failure;
    this.#budget.add(data.length + overhead);
    this.#queue.push(data);
    this.#writing ??= this.#drain();
  }

  /** Resolves when the file stands under its own name. */
  async finish(): Promise<void> {
    await this.#writing;
    if (this.#failure) throw this.#failure;
    try {
      setMetadata(this.#fd, this.#path(), this.#file.mode, this.#file.mtime);
    } catch (error) {
      throw this.#error(error);
    }
    const fd = this.#fd;
    this.#fd = -1;
    closeSync(fd);
    try {
      await this.#tree.rename(this.#file.parent, this.#temporary, this.#file.name);
    } catch (error) {
      unlinkSync(this.#path());
      throw error;
    }
  }

  /** Gives up: closes and removes what was written. */
  async abandon(): Promise<void> {
    this.#failure ??= new Error("abandoned");
    await this.#writing;
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
    try {
      unlinkSync(this.#path());
    } catch {
      // The failure that led here is the one to report.
    }
  }

  async #drain(): Promise<void> {
    // The bytes of this turn of the loop go together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, maxVectors);
      const bytes = batch.reduce((sum, buffer) => sum + buffer.length, 0);
      try {
        if (!this.#failure) await writeAll(this.#fd, batch, bytes);
      } catch (error) {
        this.#failure = this.#error(error);
      }
      this.#budget.add(-bytes - batch.length * overhead);
    }
    this.#writing = undefined;
  }

  #path(): Buffer {
    return entryPath(this.#tree.directory(this.#file.parent).prefix, this.#temporary);
  }

  #error(cause: unknown): Error {
    return ioError("write", this.#tree.pathOf(this.#file.parent, this.#file.name), cause);
  }
}

async function writeAll(fd: number, batch: Buffer[], bytes: number): Promise<void> {
  let left = batch;
  let missing = bytes;
  while (missing > 0) {
    const written = await write(fd, left);
    missing -= written;
    if (missing > 0) left = dropBytes(left, written);
  }
}

function write(fd: number, buffers: Buffer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, buffers, (error, written) => (error ? reject(error) : resolve(written)));
  });
}

function dropBytes(buffers: Buffer[], count: number): Buffer[] {
  let skip = count;
  let at = 0;
  while (at < buffers.length && skip >= (buffers[at] as Buffer).length) {
    skip -= (buffers[at] as Buffer).length;
    at++;
  }
  const rest = buffers.slice(at);
  if (skip > 0 && rest[0]) rest[0] = rest[0].subarray(skip);
  return rest;
}
