import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Environment, buildxConfigDir } from "../config/index.js";
import { messageOf } from "../core/index.js";
import { LockError, type LockOptions, lockFile } from "../fs/index.js";
import { checkBuilderName, isBuilderName } from "./builder-name.js";
import { type CurrentChoice, readCurrent } from "./current-file.js";
import { LocalState } from "./local-state.js";
import { decodeNodeGroup } from "./node-group-json.js";
import type { NodeGroup } from "./node-group.js";
import { type SlipwayOptions, slipwayOptionsFile, readSlipwayOptions } from "./slipway-options.js";
import { StoreDir } from "./store-dir.js";
import { StoreError } from "./store-error.js";
import { storeOwner } from "./store-owner.js";
import { StoreTransaction } from "./store-transaction.js";
import { type StoreView, activityFile, formatActivity, instanceFile } from "./store-view.js";

/** Options of {@link BuilderStore.open}. */
export interface StoreOptions {
  /** Default: `$BUILDX_CONFIG`, else `buildx` below Docker's config directory. */
  dir?: string;
  /** Told what was found broken and worked around, and that a lock is being waited for. */
  onWarning?: (text: string) => void;
  /** Milliseconds since the epoch; default `Date.now`. */
  now?: () => number;
  /** How long to wait for the lock, and other things of it. */
  lock?: Pick<LockOptions, "timeout" | "patience" | "program">;
}

/** How long files may be read one after the other before others have their turn, in ms. */
const sliceMilliseconds = 8;

/** One stored builder, or what is wrong with its file (STO-1). */
export type StoredBuilder = { name: string; group: NodeGroup } | { name: string; error: StoreError };

/**
 * The builders of this user, in the directory and format that buildx uses too (buildx store). Files are replaced by
 * rename, so reading takes no lock and works in a directory that cannot be written (STO-14).
 */
export class BuilderStore implements StoreView {
  readonly dir: StoreDir;
  readonly localState: LocalState;
  readonly now: () => number;
  readonly #options: StoreOptions;
  #checkedFileSystem = false;

  private constructor(env: Environment, options: StoreOptions) {
    const path = options.dir ?? buildxConfigDir(env);
    this.dir = new StoreDir(path, storeOwner(env, path));
    this.localState = new LocalState(this.dir);
    this.now = options.now ?? Date.now;
    this.#options = options;
  }

  /** The store of an environment. Nothing is read or made yet. */
  static open(env: Environment, options: StoreOptions = {}): BuilderStore {
    return new BuilderStore(env, options);
  }

  /** All builders by name. Files that cannot be one are ignored (STO-3), broken ones are listed with their error. */
  async list(): Promise<StoredBuilder[]> {
    const names = (await this.dir.files("instances")).filter(
      (name) => isBuilderName(name) && name === name.toLowerCase(),
    );
    const builders: StoredBuilder[] = [];
    let sliceEnd = performance.now() + sliceMilliseconds;
    for (const name of names) {
      if (performance.now() > sliceEnd) {
        await setImmediate();
        sliceEnd = performance.now() + sliceMilliseconds;
      }
      try {
        const group = await this.get(name);
        if (group) builders.push({ name, group });
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        builders.push({ name, error });
      }
    }
    return builders;
  }

  /**
   * A builder by its name, in any case of letters; undefined when there is none.
   *
   * @throws StoreError `STORE_CORRUPT`, `STORE_NEWER`, `STORE_UNREADABLE`; InvalidArgumentError for a name that none can have.
   */
  async get(name: string): Promise<NodeGroup | undefined> {
    const file = instanceFile(checkBuilderName(name));
    const small = this.#getSmall(file);
    if (small) return small;
    const content = await this.dir.read(file);
    if (content === undefined) return undefined;
    const group = decodeNodeGroup(join(this.dir.path, file), content);
    const lastActivity = await this.lastActivity(group.name);
    return lastActivity ? { ...group, lastActivity } : group;
  }

  /** As {@link get}, of what can be read at once; undefined for everything else. */
  #getSmall(file: string): NodeGroup | undefined {
    const content = this.dir.readSmall(file);
    if (content === undefined) return undefined;
    const group = decodeNodeGroup(join(this.dir.path, file), content);
    const text = isFileName(group.name) ? this.dir.readSmall(activityFile(group.name)) : undefined;
    const lastActivity = new Date(text?.toString().trim() ?? "");
    return Number.isNaN(lastActivity.getTime()) ? undefined : { ...group, lastActivity };
  }

  /** When a builder, or a docker context, was last used. A broken file counts as never (STO-2). */
  async lastActivity(name: string): Promise<Date | undefined> {
    if (!isFileName(name)) return undefined;
    const content = await this.dir.read(activityFile(name)).catch(() => undefined);
    const date = new Date(content?.toString().trim() ?? "");
    if (!Number.isNaN(date.getTime())) return date;
    if (content !== undefined) this.warn(`ignoring broken ${join(this.dir.path, activityFile(name))}`);
    return undefined;
  }

  /** Notes that a builder is being used now. Needs no lock; failing is no reason to fail a build. */
  async touch(name: string): Promise<void> {
    if (!isFileName(name)) return;
    try {
      await this.dir.write(activityFile(name), formatActivity(this.now()));
    } catch (error) {
      this.warn(messageOf(error));
    }
  }

  /** What the file `current` says. A broken one counts as absent (STO-2). */
  async currentChoice(): Promise<CurrentChoice | undefined> {
    return await readCurrent(this.dir, (text) => this.warn(text));
  }

  /** {@link SlipwayOptions} of a builder. */
  async slipwayOptions(name: string): Promise<SlipwayOptions> {
    const file = slipwayOptionsFile(checkBuilderName(name));
    return readSlipwayOptions(join(this.dir.path, file), await this.dir.read(file));
  }

  /**
   * This machine's id towards builders, made when there is none yet; undefined when that is not possible. It keeps the
   * synced contexts of different machines apart (STO-18).
   */
  async nodeIdentifier(): Promise<string | undefined> {
    return await this.dir.nodeIdentifier();
  }

  /**
   * Runs `work` with the exclusive lock that buildx takes too. Each change is written at once, so what `work` did
   * before it threw stays.
   *
   * @throws LockError, StoreError `STORE_UNWRITABLE`, AbortedError, and what `work` throws.
   */
  async transaction<T>(
    work: (transaction: StoreTransaction) => Promise<T>,
    options: { signal?: AbortSignal } = {},
  ): Promise<T> {
    for (const name of ["instances", "defaults", "activity"]) await this.dir.makeDir(name);
    await this.#checkFileSystem();
    const path = join(this.dir.path, ".lock");
    const lock = await lockFile(path, {
      ...this.#options.lock,
      ...options,
      onWait: ({ pid }) =>
        this.warn(`waiting for lock ${path} held by ${pid === undefined ? "another process" : `pid ${pid}`}`),
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.syscall === undefined && (error.code !== "FS_LOCK" || error instanceof LockError))
        throw error;
      throw new StoreError(
        "STORE_UNWRITABLE",
        `cannot lock ${path}: ${error.message}; BUILDX_CONFIG can name another directory for builders`,
        { path, cause: error },
      );
    });
    try {
      await this.dir.removeStaleTemporaries("instances", this.now());
      return await work(new StoreTransaction(this));
    } finally {
      await lock.close();
    }
  }

  /** Passes a text to the option `onWarning`. */
  warn(text: string): void {
    this.#options.onWarning?.(text);
  }

  /** Locks on network file systems may hold on one machine only (STO-15). */
  async #checkFileSystem(): Promise<void> {
    if (this.#checkedFileSystem) return;
    this.#checkedFileSystem = true;
    const nfs = 0x6969; // statfs(2) NFS_SUPER_MAGIC
    const type = await statfs(this.dir.path).then(
      (stat) => stat.type,
      () => undefined,
    ); // unknown: no warning
    if (type === nfs)
      this.warn(`${this.dir.path} is on NFS: its lock may not hold against processes on other machines`);
  }
}

function isFileName(name: string): boolean {
  return name !== "" && !name.startsWith(".") && !/[/\\\0]/.test(name);
}
