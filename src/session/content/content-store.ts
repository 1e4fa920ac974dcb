import { type Stats, constants, unlinkSync } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { messageOf, readOptions } from "../../core/index.js";
import { type OpenDirectory, closeDirectory } from "../../fs/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import { SessionError } from "../session-error.js";
import { contentStoreKinds } from "../option-kinds.js";
import { type Digest, parseDigest } from "./digest.js";
import { Ingest, type IngestStatus, hashOf, listIngests, readIngestStatus, removeIngest } from "./ingest.js";
import { ForeignDirectoryError, inDirectory, openLayoutDirectory } from "./layout-directory.js";

/** Options of {@link ContentStore}. */
export interface ContentStoreOptions {
  /** `read-only` (default) serves a layout or a cache to import; `read-write` takes a cache or a layout exported. */
  access?: "read-only" | "read-write";
  /** Called before each write begins, which waits for it. */
  beforeWrite?: () => Promise<void>;
  /** Bytes that may be written in all; no limit when not given. */
  maxBytes?: number;
}

/** A blob that the store holds. `size` in bytes. */
export interface BlobInfo {
  digest: string;
  size: number;
  createdAt: Date;
  updatedAt: Date;
}

/**
 * The blobs of an OCI layout directory: `blobs/<algorithm>/<hex>`, and `ingest/` for writes under way, as containerd's
 * local store keeps them (containerd plugins/content/local). Errors are GrpcErrors with containerd's codes.
 */
export class ContentStore {
  readonly path: string;
  readonly writable: boolean;
  readonly #maxBytes: number;
  readonly #beforeWrite: (() => Promise<void>) | undefined;
  #written = 0;
  /** Refs that a writer of ours holds. */
  readonly #locked = new Set<string>();
  /** Blobs that were written through this store, and may be removed again. */
  readonly #own = new Set<string>();
  /**
   * Links that were found to lead to the content of their name, by digest; each with values that differ when the file has
   * changed.
   */
  readonly #verifiedLinks = new Map<string, string>();

  constructor(path: string, given: ContentStoreOptions = {}) {
    const options = readOptions("ContentStore", given, contentStoreKinds);
    this.path = resolve(path);
    this.writable = options.access === "read-write";
    this.#beforeWrite = options.beforeWrite;
    this.#maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
  }

  /** @throws GrpcError NotFound */
  async info(digest: string): Promise<BlobInfo> {
    const { handle } = await this.open(digest);
    try {
      const { size, mtime, atime } = await handle.stat();
      return { digest, size, createdAt: mtime, updatedAt: atime };
    } finally {
      await handle.close();
    }
  }

  /** True when the store holds the blob. */
  async has(digest: string): Promise<boolean> {
    try {
      await this.info(digest);
      return true;
    } catch (error) {
      if (error instanceof GrpcError && error.grpcCode === grpcCodes.notFound) return false;
      throw error;
    }
  }

  /** All blobs, in no order. */
  async *list(): AsyncGenerator<BlobInfo> {
    for (const algorithm of await namesIn(join(this.path, "blobs"))) {
      for (const hex of await namesIn(join(this.path, "blobs", algorithm))) {
        try {
          yield await this.info(`${algorithm}:${hex}`);
        } catch {
          // No blob, or gone since it was listed.
        }
      }
    }
  }

  /**
   * Opens a blob for reading. Links are followed, as layouts made of links exist, but only to what has the digest:
   * a link in a directory from elsewhere, also in the place of `blobs`, could lead to any file of ours.
   * @throws GrpcError NotFound
   */
  async open(digest: string): Promise<{ handle: FileHandle; size: number }> {
    const parsed = parseDigest(digest);
    let handle: FileHandle | undefined;
    try {
      const own = await this.#openOwn(parsed);
      handle = own ?? (await open(this.#blobPath(parsed), constants.O_RDONLY | constants.O_NONBLOCK));
      const stats = await handle.stat();
      if (!stats.isFile()) throw notFound(digest);
      if (!own) await this.#checkLinked(handle, stats, parsed, digest);
      return { handle, size: stats.size };
    } catch (error) {
      await handle?.close();
      throw storeError(error, digest);
    }
  }

  /** Undefined when there is a link on the way. */
  async #openOwn({ algorithm, hex }: Digest): Promise<FileHandle | undefined> {
    let directory: OpenDirectory | undefined;
    try {
      directory = openLayoutDirectory(this.path, "blobs", algorithm);
      const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
      return await open(inDirectory(directory, hex), flags);
    } catch (error) {
      if (error instanceof ForeignDirectoryError || (error as NodeJS.ErrnoException).code === "ELOOP")
        return undefined;
      throw error;
    } finally {
      if (directory) closeDirectory(directory);
    }
  }

  /**
   * Begins a write, or takes up one that was broken off.
   * @throws GrpcError Unavailable when another write holds the ref
   */
  async writer(ref: string, total: number, expected: string): Promise<Ingest> {
    this.requireWritable();
    // Also before the answer that the blob is there: whoever gets it counts on that.
    await this.#beforeWrite?.();
    if (expected !== "" && (await this.has(expected))) {
      throw new GrpcError(grpcCodes.alreadyExists, `content ${expected}: already exists`);
    }
    if (this.#locked.has(ref)) {
      throw new GrpcError(grpcCodes.unavailable, `ref ${ref} locked: unavailable`);
    }
    this.#locked.add(ref);
    try {
      return await Ingest.open(this.path, ref, total, {
        charge: (bytes) => this.#charge(bytes),
        committed: (digest) => void this.#own.add(digest),
        closed: () => void this.#locked.delete(ref),
      });
    } catch (error) {
      this.#locked.delete(ref);
      throw storeError(error, ref);
    }
  }

  /** @throws GrpcError NotFound when there is no such write */
  async status(ref: string): Promise<IngestStatus> {
    try {
      return await readIngestStatus(this.path, ref);
    } catch (error) {
      throw storeError(error, `ref ${ref}`);
    }
  }

  /** All writes under way or broken off. */
  async statuses(): Promise<IngestStatus[]> {
    return await listIngests(this.path);
  }

  /** Gives up a write that was broken off. */
  async abort(ref: string): Promise<void> {
    this.requireWritable();
    await this.status(ref);
    if (this.#locked.has(ref)) throw new GrpcError(grpcCodes.unavailable, `ref ${ref} locked: unavailable`);
    removeIngest(this.path, ref);
  }

  /**
   * Removes a blob that was written by this store.
   * @throws GrpcError PermissionDenied for what was there before
   */
  async delete(digest: string): Promise<void> {
    this.requireWritable();
    const parsed = parseDigest(digest);
    await this.info(digest);
    if (!this.#own.has(digest)) {
      throw new GrpcError(
        grpcCodes.permissionDenied,
        `content ${digest} was there before and may not be deleted`,
      );
    }
    const directory = openLayoutDirectory(this.path, "blobs", parsed.algorithm);
    try {
      unlinkSync(inDirectory(directory, parsed.hex));
    } finally {
      closeDirectory(directory);
    }
    this.#own.delete(digest);
  }

  /** @throws GrpcError PermissionDenied when the store is read-only */
  requireWritable(): void {
    if (this.writable) return;
    throw new GrpcError(grpcCodes.permissionDenied, `content store ${this.path} is read-only`);
  }

  #charge(bytes: number): void {
    this.#written += bytes;
    if (this.#written <= this.#maxBytes) return;
    throw new GrpcError(
      grpcCodes.resourceExhausted,
      `more than ${this.#maxBytes} bytes written to ${this.path}`,
    );
  }

  #blobPath({ algorithm, hex }: Digest): string {
    return join(this.path, "blobs", algorithm, hex);
  }

  async #checkLinked(
    handle: FileHandle,
    { dev, ino, size, mtimeMs, ctimeMs }: Stats,
    { algorithm, hex }: Digest,
    digest: string,
  ): Promise<void> {
    const identity = [dev, ino, size, mtimeMs, ctimeMs].join(" ");
    if (this.#verifiedLinks.get(digest) === identity) return;
    if ((await hashOf(handle, algorithm)).digest("hex") !== hex) throw notFound(digest);
    this.#verifiedLinks.set(digest, identity);
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch {
    return [];
  }
}

function notFound(what: string): GrpcError {
  return new GrpcError(grpcCodes.notFound, `content ${what}: not found`);
}

function storeError(error: unknown, what: string): Error {
  if (error instanceof GrpcError) return error;
  const code: unknown = (error as { code?: unknown }).code;
  if (code === "ENOENT" || code === "ENOTDIR") return notFound(what);
  if (error instanceof SessionError) return error;
  return new SessionError("SESSION_CONTENT_IO", `content ${what}: ${messageOf(error)}`, { cause: error });
}
