import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, readdir, rm, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../core/index.js";
import {
  makeDirectory,
  FileReadError,
  describeSystemError,
  readIfThere,
  readSmall,
  sharedMessage,
  sharedReason,
  toBytes,
  writeFileAtomic,
} from "../fs/index.js";
import { StoreError } from "./store-error.js";
import type { StoreOwner } from "./store-owner.js";

/** Largest file that is read, in bytes: a builder with the certificates of many registries is far below. */
const largestFile = 16 << 20;

/** Files below buildx's config directory, by path relative to it. Errors name the whole path. */
export class StoreDir {
  readonly path: string;
  readonly #owner: StoreOwner | undefined;
  /** Directories that were there and the user's own. */
  readonly #own = new Set<string>();

  constructor(path: string, owner?: StoreOwner) {
    this.path = path;
    this.#owner = owner;
  }

  /** Content of a file; undefined when there is none. */
  async read(name: string): Promise<Buffer | undefined> {
    const path = join(this.path, name);
    const small = this.readSmall(name);
    if (small) return small;
    try {
      return await readIfThere(path, { limit: largestFile });
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /** Content of a small file, at once; undefined also for one that {@link read} has to look at. */
  readSmall(name: string): Buffer | undefined {
    const path = join(this.path, name);
    this.#refuseShared(dirname(path));
    return readSmall(path);
  }

  /** Names of the plain files in a directory, sorted; none when it is not there. */
  async files(name: string): Promise<string[]> {
    const path = join(this.path, name);
    this.#refuseShared(path);
    try {
      const entries = await readdir(path, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() || entry.isSymbolicLink())
        .map((entry) => entry.name)
        .sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw unreadable(path, error);
    }
  }

  /** Names of the directories in a directory; none when it is not there. */
  async directories(name: string): Promise<string[]> {
    const entries = await readdir(join(this.path, name), { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  }

  /** Writes a file atomically, with the directories above it. */
  async write(name: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
    await this.#change(name, async (path) => {
      await this.#makeDir(dirname(path));
      this.#refuseShared(dirname(path));
      await writeFileAtomic(path, data, { mode });
      if (this.#owner) await chown(path, this.#owner.uid, this.#owner.gid);
    });
  }

  /** Makes a directory, 0700, and those above it. */
  async makeDir(name: string): Promise<void> {
    await this.#change(name, (path) => this.#makeDir(path));
  }

  /** Removes a file or a directory with all in it; nothing happens when it is not there. */
  async remove(name: string): Promise<void> {
    await this.#change(name, async (path) => {
      // Most are files, for which this is one call.
      await unlink(path).catch(async (error: unknown) => {
        if (!isMissing(error)) await rm(path, { recursive: true, force: true });
      });
    });
  }

  /** Removes temporary files of ours that a crash left in a directory more than an hour ago (STO-3). */
  async removeStaleTemporaries(name: string, now: number): Promise<void> {
    for (const file of await this.files(name)) {
      if (!/^\..+\.tmp-[0-9a-f]{12}$/.test(file)) continue;
      const path = join(this.path, name, file);
      const modified = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => now,
      ); // gone already: leave it
      if (now - modified > 3_600_000) await rm(path, { force: true }).catch(() => {}); // tidying is not the task
    }
  }

  /**
   * A random id of this machine and directory, made at the first call: 16 hex digits in `.buildNodeID`, which buildx
   * shares. Undefined when it can be neither read nor made.
   */
  async nodeIdentifier(): Promise<string | undefined> {
    try {
      const known = await this.read(".buildNodeID");
      if (known !== undefined) return known.toString();
      await this.write(".buildNodeID", randomBytes(8).toString("hex"));
      // Another process may have been faster: both take what is there now.
      return (await this.read(".buildNodeID"))?.toString();
    } catch {
      return undefined; // buildx confutil TryNodeIdentifier: a build goes on without
    }
  }

  /**
   * What is read here decides where builds go, so it must not be another user's work (SEC-70).
   *
   * @throws StoreError `STORE_SHARED` when others can write to a directory, or to one above it in the store
   */
  #refuseShared(path: string): void {
    for (let dir = path; !this.#own.has(dir); dir = dirname(dir)) {
      const reason = sharedReason(dir);
      if (reason !== undefined)
        throw new StoreError(
          "STORE_SHARED",
          sharedMessage(dir, reason, "let BUILDX_CONFIG name another directory for builders"),
          { path: dir },
        );
      if (existsSync(dir)) this.#own.add(dir);
      if (dir === this.path || dir === dirname(dir)) return;
    }
  }

  async #makeDir(path: string): Promise<void> {
    const first = await makeDirectory(path, 0o700);
    if (!this.#owner) return;
    const { uid, gid } = this.#owner;
    if (first === undefined) {
      const owner = await stat(path);
      if (owner.uid !== uid || owner.gid !== gid) await chown(path, uid, gid);
      return;
    }
    for (let dir = path; ; dir = dirname(dir)) {
      await chown(dir, uid, gid);
      if (dir === first || dir === dirname(dir)) return;
    }
  }

  async #change(name: string, work: (path: string) => Promise<void>): Promise<void> {
    const path = join(this.path, name);
    this.#refuseShared(dirname(path));
    try {
      await work(path);
    } catch (error) {
      // ENOENT is what mkdir(recursive) makes of a read-only file system.
      if (error instanceof StoreError) throw error;
      const isPlace = ["EACCES", "EROFS", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "");
      const hint = isPlace ? "; BUILDX_CONFIG can name another directory for builders" : "";
      throw new StoreError("STORE_UNWRITABLE", `cannot write ${path}: ${messageOf(error)}${hint}`, {
        path,
        cause: error,
      });
    }
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function unreadable(path: string, error: unknown): StoreError {
  const isRead = error instanceof FileReadError;
  const reason = isRead ? `${path}: ${error.reason}` : describeSystemError(error, toBytes(path));
  const code = isRead ? error.errno : (error as NodeJS.ErrnoException).code;
  const hint = code === "EACCES" ? "; BUILDX_CONFIG can name another directory for builders" : "";
  return new StoreError("STORE_UNREADABLE", `cannot read ${reason}${hint}`, { path, cause: error });
}
