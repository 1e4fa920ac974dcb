import { type Hash, createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import {
  type OpenDirectory,
  closeDirectory,
  openChild,
  openRoot,
  readOpened,
  selfPath,
  syncFile,
} from "../../fs/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import { parseDigest } from "./digest.js";
import {
  ForeignDirectoryError,
  inDirectory,
  makeLayoutDirectory,
  openLayoutDirectory,
} from "./layout-directory.js";

/** Follows no link that somebody has planted, and waits for no pipe. */
const inPlace = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const readFlags = constants.O_RDONLY | inPlace;

/** How far a write is. `offset` and `total` in bytes; 0 when the total is not known. */
export interface IngestStatus {
  ref: string;
  offset: number;
  total: number;
  startedAt: Date;
  updatedAt: Date;
}

/** What a store wants to know of its writes. */
export interface IngestHooks {
  /** Called before bytes are written; throws when there are too many. */
  charge(bytes: number): void;
  committed(digest: string): void;
  closed(): void;
}

/** The name of a write's directory: its ref may be any text, so it is hashed (containerd plugins/content/local). */
function ingestName(ref: string): string {
  return createHash("sha256").update(ref).digest("hex");
}

/** Longest text beside the data, in bytes: a ref may have 4096. */
const longestText = 64 * 1024;
/** What there is in the directory of a write. */
const ingestFiles = ["data", "ref", "startedat", "updatedat", "total"] as const;

/** @throws NodeJS.ErrnoException ENOENT when there is no such write */
export async function readIngestStatus(root: string, ref: string): Promise<IngestStatus> {
  const directory = openLayoutDirectory(root, "ingest", ingestName(ref));
  try {
    return await statusIn(directory, ref);
  } finally {
    closeDirectory(directory);
  }
}

async function statusIn(directory: OpenDirectory, ref: string): Promise<IngestStatus> {
  const stats = lstatSync(inDirectory(directory, "data"));
  const date = (value: string) => {
    const time = Date.parse(value);
    return Number.isNaN(time) ? stats.mtime : new Date(time);
  };
  return {
    ref,
    offset: stats.size,
    total: Number(await textIn(directory, "total")) || 0,
    startedAt: date(await textIn(directory, "startedat")),
    updatedAt: date(await textIn(directory, "updatedat")),
  };
}

/** Empty when it is not there, or is something else than a file. */
async function textIn(directory: OpenDirectory, name: string): Promise<string> {
  try {
    const fd = openSync(inDirectory(directory, name), readFlags);
    return (await readOpened(fd, name, { limit: longestText })).toString("utf8");
  } catch {
    return "";
  }
}

function putText(directory: OpenDirectory, name: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_TRUNC } = constants;
  const fd = openSync(inDirectory(directory, name), O_WRONLY | O_CREAT | O_TRUNC | inPlace, 0o644);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

/** All writes under way or broken off. */
export async function listIngests(root: string): Promise<IngestStatus[]> {
  const found: IngestStatus[] = [];
  for (const name of namesOfIngests(root)) {
    try {
      const directory = openLayoutDirectory(root, "ingest", name);
      try {
        const ref = await textIn(directory, "ref");
        if (ingestName(ref) === name) found.push(await statusIn(directory, ref));
      } finally {
        closeDirectory(directory);
      }
    } catch {
      // Not a write, or gone since it was listed.
    }
  }
  return found;
}

function namesOfIngests(root: string): string[] {
  try {
    const directory = openLayoutDirectory(root, "ingest");
    try {
      return readdirSync(selfPath(directory));
    } finally {
      closeDirectory(directory);
    }
  } catch {
    return [];
  }
}

/** Forgets a write, and the directory of all when it was the last. What else is there stays. */
export function removeIngest(root: string, ref: string): void {
  let ingests: OpenDirectory | undefined;
  try {
    ingests = openLayoutDirectory(root, "ingest");
    const name = ingestName(ref);
    const directory = openChild(ingests, Buffer.from(name));
    if (directory) {
      try {
        for (const file of ingestFiles) quietly(() => unlinkSync(inDirectory(directory, file)));
      } finally {
        closeDirectory(directory);
      }
      rmdirSync(inDirectory(ingests, name));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  } finally {
    if (ingests) closeDirectory(ingests);
  }
  const directory = openRoot(root);
  try {
    rmdirSync(inDirectory(directory, "ingest"));
  } catch {
    // Other writes are under way, or there is none.
  } finally {
    closeDirectory(directory);
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Not there: not every write has all of them.
  }
}

/**
 * A blob being written: the bytes are hashed as they come and get their name only when size and digest are
 * those announced. What is not committed stays and can be taken up again under the same ref. SHA-256 alone is written.
 */
export class Ingest {
  readonly startedAt: Date;
  updatedAt: Date;
  /** Bytes; 0 when not known. */
  total: number;

  readonly #root: string;
  readonly #ref: string;
  readonly #directory: OpenDirectory;
  readonly #handle: FileHandle;
  readonly #hooks: IngestHooks;
  #hash: Hash;
  #offset: number;
  #closed = false;

  /** Opens the write of `ref`; one that was broken off is read again for its hash. */
  static async open(root: string, ref: string, total: number, hooks: IngestHooks): Promise<Ingest> {
    const directory = makeLayoutDirectory(root, "ingest", ingestName(ref));
    let handle: FileHandle | undefined;
    try {
      const { O_RDWR, O_CREAT, O_APPEND } = constants;
      handle = await open(inDirectory(directory, "data"), O_RDWR | O_CREAT | O_APPEND | inPlace, 0o644);
      const stats = await handle.stat();
      if (!stats.isFile()) throw new ForeignDirectoryError(`${root}/ingest/${ingestName(ref)}/data`);
      const hash = await hashOf(handle);
      const before = await statusIn(directory, ref);
      const now = new Date();
      const startedAt = stats.size > 0 ? before.startedAt : now;
      putText(directory, "ref", ref);
      if (stats.size === 0) putText(directory, "startedat", now.toISOString());
      putText(directory, "updatedat", now.toISOString());
      if (total > 0) putText(directory, "total", String(total));
      return new Ingest({ root, ref, directory, handle, hooks, hash, offset: stats.size, total, startedAt });
    } catch (error) {
      await handle?.close();
      closeDirectory(directory);
      if (isFull(error)) removeIngest(root, ref);
      throw error;
    }
  }

  private constructor(state: {
    root: string;
    ref: string;
    directory: OpenDirectory;
    handle: FileHandle;
    hooks: IngestHooks;
    hash: Hash;
    offset: number;
    total: number;
    startedAt: Date;
  }) {
    this.#root = state.root;
    this.#ref = state.ref;
    this.#directory = state.directory;
    this.#handle = state.handle;
    this.#hooks = state.hooks;
    this.#hash = state.hash;
    this.#offset = state.offset;
    this.total = state.total;
    this.startedAt = state.startedAt;
    this.updatedAt = state.startedAt;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Digest of what was written so far. */
  digest(): string {
    return `sha256:${this.#hash.copy().digest("hex")}`;
  }

  /** Appends bytes. */
  async write(data: Buffer): Promise<void> {
    this.#hooks.charge(data.length);
    try {
      for (let at = 0; at < data.length;) {
        const { bytesWritten } = await this.#handle.write(data, at);
        at += bytesWritten;
      }
    } catch (error) {
      // A blob that is half there takes up room that is needed, and can be sent again.
      if (isFull(error)) removeIngest(this.#root, this.#ref);
      throw error;
    }
    this.#hash.update(data);
    this.#offset += data.length;
    this.updatedAt = new Date();
  }

  /** Starts over. */
  async truncate(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = createHash("sha256");
    this.#offset = 0;
  }

  /**
   * Makes it a blob. `size` 0 and `expected` empty are not checked.
   * @throws GrpcError FailedPrecondition when it is not what was announced, AlreadyExists when the blob is there
   */
  async commit(size: number, expected: string): Promise<void> {
    const digest = this.digest();
    if (size > 0 && size !== this.#offset) {
      throw new GrpcError(
        grpcCodes.failedPrecondition,
        `unexpected commit size ${this.#offset}, expected ${size}`,
      );
    }
    if (expected !== "" && expected !== digest) {
      throw new GrpcError(
        grpcCodes.failedPrecondition,
        `unexpected commit digest ${digest}, expected ${expected}`,
      );
    }
    try {
      await syncFile(this.#handle);
      this.#place(digest);
    } catch (error) {
      if (isFull(error)) removeIngest(this.#root, this.#ref);
      throw error;
    }
  }

  #place(digest: string): void {
    const { hex } = parseDigest(digest);
    const blobs = makeLayoutDirectory(this.#root, "blobs", "sha256");
    try {
      const target = inDirectory(blobs, hex);
      const exists = lstatSync(target, { throwIfNoEntry: false }) !== undefined;
      if (!exists) {
        const data = inDirectory(this.#directory, "data");
        chmodSync(data, 0o444);
        renameSync(data, target);
        this.#hooks.committed(digest);
      }
      removeIngest(this.#root, this.#ref);
      if (exists) throw new GrpcError(grpcCodes.alreadyExists, `content ${digest}: already exists`);
    } finally {
      closeDirectory(blobs);
    }
  }

  /** Forgets the write. */
  async remove(): Promise<void> {
    removeIngest(this.#root, this.#ref);
  }

  /** Lets the ref go. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#handle.close();
    } finally {
      closeDirectory(this.#directory);
      this.#hooks.closed();
    }
  }
}

/** Digest so far of what is in a file. */
export async function hashOf(handle: FileHandle, algorithm = "sha256"): Promise<Hash> {
  const hash = createHash(algorithm);
  const buffer = Buffer.allocUnsafe(1 << 20);
  for (let at = 0; ;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return hash;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes((error as NodeJS.ErrnoException).code ?? "");
}
