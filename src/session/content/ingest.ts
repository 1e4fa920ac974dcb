import { type Hash, createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  type FileHandle,
  chmod,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { syncFile } from "../../fs/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import { parseDigest } from "./digest.js";

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

/** The directory of a write: its ref may be any text, so it is hashed (containerd plugins/content/local). */
function ingestPath(root: string, ref: string): string {
  return join(root, "ingest", createHash("sha256").update(ref).digest("hex"));
}

/** @throws NodeJS.ErrnoException ENOENT when there is no such write */
export async function readIngestStatus(root: string, ref: string): Promise<IngestStatus> {
  const path = ingestPath(root, ref);
  const { size, mtime } = await stat(join(path, "data"));
  const text = async (name: string) => {
    try {
      return await readFile(join(path, name), "utf8");
    } catch {
      return "";
    }
  };
  const date = (value: string) => {
    const time = Date.parse(value);
    return Number.isNaN(time) ? mtime : new Date(time);
  };
  return {
    ref,
    offset: size,
    total: Number(await text("total")) || 0,
    startedAt: date(await text("startedat")),
    updatedAt: date(await text("updatedat")),
  };
}

/** All writes under way or broken off. */
export async function listIngests(root: string): Promise<IngestStatus[]> {
  const names = await readdir(join(root, "ingest")).catch(() => []);
  const found: IngestStatus[] = [];
  for (const name of names) {
    try {
      const ref = await readFile(join(root, "ingest", name, "ref"), "utf8");
      found.push(await readIngestStatus(root, ref));
    } catch {
      // Not a write, or gone since it was listed.
    }
  }
  return found;
}

/** Forgets a write. */
export async function removeIngest(root: string, ref: string): Promise<void> {
  await rm(ingestPath(root, ref), { recursive: true, force: true });
}

/**
 * A blob being written: the bytes are hashed as they come (MEM-15) and get their name only when size and digest are
 * those announced. What is not committed stays and can be taken up again under the same ref. SHA-256 alone is written.
 */
export class Ingest {
  readonly startedAt: Date;
  updatedAt: Date;
  /** Bytes; 0 when not known. */
  total: number;

  readonly #root: string;
  readonly #ref: string;
  readonly #handle: FileHandle;
  readonly #hooks: IngestHooks;
  #hash: Hash;
  #offset: number;
  #closed = false;

  /** Opens the write of `ref`; one that was broken off is read again for its hash. */
  static async open(root: string, ref: string, total: number, hooks: IngestHooks): Promise<Ingest> {
    const path = ingestPath(root, ref);
    await mkdir(path, { recursive: true, mode: 0o755 });
    const handle = await open(join(path, "data"), "a");
    try {
      const hash = createHash("sha256");
      const { size } = await handle.stat();
      if (size > 0) {
        for await (const chunk of createReadStream(join(path, "data"))) hash.update(chunk as Buffer);
      }
      const before = await readIngestStatus(root, ref);
      const now = new Date();
      const startedAt = size > 0 ? before.startedAt : now;
      await writeFile(join(path, "ref"), ref);
      if (size === 0) await writeFile(join(path, "startedat"), now.toISOString());
      await writeFile(join(path, "updatedat"), now.toISOString());
      if (total > 0) await writeFile(join(path, "total"), String(total));
      return new Ingest({ root, ref, handle, hooks, hash, offset: size, total, startedAt });
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(state: {
    root: string;
    ref: string;
    handle: FileHandle;
    hooks: IngestHooks;
    hash: Hash;
    offset: number;
    total: number;
    startedAt: Date;
  }) {
    this.#root = state.root;
    this.#ref = state.ref;
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
    for (let at = 0; at < data.length;) {
      const { bytesWritten } = await this.#handle.write(data, at);
      at += bytesWritten;
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
    await syncFile(this.#handle);
    const { hex } = parseDigest(digest);
    const directory = join(this.#root, "blobs", "sha256");
    const target = join(directory, hex);
    const data = join(ingestPath(this.#root, this.#ref), "data");
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const exists = await stat(target).then(
      () => true,
      () => false,
    );
    if (!exists) {
      await chmod(data, 0o444);
      await rename(data, target);
      this.#hooks.committed(digest);
    }
    await removeIngest(this.#root, this.#ref);
    if (exists) throw new GrpcError(grpcCodes.alreadyExists, `content ${digest}: already exists`);
  }

  /** Forgets the write. */
  async remove(): Promise<void> {
    await removeIngest(this.#root, this.#ref);
  }

  /** Lets the ref go. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#handle.close();
    } finally {
      this.#hooks.closed();
    }
  }
}
