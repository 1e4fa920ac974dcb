import { randomBytes } from "node:crypto";
import { type Stats } from "node:fs";
import { mkdir, readdir, rename, rm, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FileLock, lockFile } from "./lock.js";
import { makeDirectory } from "./make-directory.js";
import { type ProcessIdentity, hasEnded, thisProcess } from "./process-identity.js";
import { readBounded } from "./read-file.js";
import { setAside } from "./set-aside.js";
import { refuseShared } from "./shared-directory.js";

/** What {@link LeasedDirectory.take} does with an entry. */
export interface EntryMaker {
  /** Whether an entry is there with all that belongs to it; one that is not is made again. */
  isWhole: (path: string) => Promise<boolean>;
  /** Fills an empty directory, which then takes the entry's place. */
  make: (path: string) => Promise<void>;
  signal?: AbortSignal | undefined;
}

/** Keeps an entry where it is until it is closed, or its process has ended. */
export interface Lease extends AsyncDisposable {
  /** Of the entry. */
  readonly path: string;
  close(): Promise<void>;
}

/** What stands in a lease's file. */
interface LeaseRecord {
  entry: string;
  process: ProcessIdentity;
}

const leasePrefix = ".lease-";
const makingPrefix = ".making-";
/** How long a lease counts whose process cannot be seen from here, such as one on another machine, in ms. */
const longestLease = 7 * 24 * 3600 * 1000;

/**
 * A directory of directories. When there are more than `most`, those that were not used for longest are deleted, except
 * those that have a lease, in this process or another. An entry appears whole and goes whole: it is filled under another
 * name, and renamed before it is deleted. What killed processes leave (leases, entries half made or half deleted) goes
 * with the next trim.
 */
export class LeasedDirectory {
  readonly #path: string;
  readonly #most: number;

  constructor(path: string, { most }: { most: number }) {
    this.#path = path;
    this.#most = most;
  }

  /** Takes a lease on the entry of this name, which is made if it is not there. Whoever takes it closes it. */
  async take(name: string, { isWhole, make, signal }: EntryMaker): Promise<Lease> {
    await makeDirectory(this.#path, 0o700);
    // Whoever could write here could give us an entry of their own (SEC-70).
    for (const dir of [dirname(this.#path), this.#path])
      refuseShared(dir, "let BUILDX_CONFIG name another directory");
    const path = join(this.#path, name);
    const nonce = randomBytes(8).toString("hex");
    const lease = join(this.#path, leasePrefix + nonce);
    const record: LeaseRecord = { entry: name, process: await thisProcess() };
    await this.#locked(signal, async () => {
      await writeFile(lease, JSON.stringify(record), { flag: "wx", mode: 0o600 });
      await utimes(path, new Date(), new Date()).catch(() => {}); // to be made yet
    });
    const release = async () => {
      await unlink(lease).catch(() => {});
      await this.#trim().catch(() => {}); // the next one's work then
    };
    try {
      if (!(await isWhole(path))) {
        const making = join(this.#path, makingPrefix + nonce);
        try {
          await mkdir(making, { mode: 0o700 });
          await make(making);
          await this.#locked(signal, async () => {
            // Another build may have made the same meanwhile.
            if (await isWhole(path)) return;
            await rename(path, join(this.#path, `.removing-${nonce}`)).catch(() => {});
            await rename(making, path);
          });
        } finally {
          await rm(making, { recursive: true, force: true });
        }
      }
    } catch (error) {
      await release();
      throw error;
    }
    let closing: Promise<void> | undefined;
    const close = () => (closing ??= release());
    return { path, close, [Symbol.asyncDispose]: close };
  }

  /** Deletes what has no lease and is not among the newest, and what killed processes left. */
  async #trim(): Promise<void> {
    const paths = await this.#locked(undefined, async () => {
      const { entries, makers } = await this.#leases();
      const left = (await readdir(this.#path))
        .filter((name) => name.startsWith(makingPrefix) && !makers.has(name.slice(makingPrefix.length)))
        .map((name) => join(this.#path, name));
      return [...left, ...setAside(this.#path, { most: this.#most, isInUse: (name) => entries.has(name) })];
    });
    // A name that begins with a dot is nobody's any more, so this needs no lock.
    for (const path of paths) await rm(path, { recursive: true, force: true });
  }

  /** Entries that have a lease, and the nonces of those leases. Stale leases are removed; only for who has the lock. */
  async #leases(): Promise<{ entries: Set<string>; makers: Set<string> }> {
    const entries = new Set<string>();
    const makers = new Set<string>();
    for (const name of await readdir(this.#path)) {
      if (!name.startsWith(leasePrefix)) continue;
      const path = join(this.#path, name);
      const stats = await stat(path).catch(() => undefined);
      const record = stats && (await readLease(path));
      if (!stats || !record || (await isStale(record, stats))) {
        await unlink(path).catch(() => {});
        continue;
      }
      entries.add(record.entry);
      makers.add(name.slice(leasePrefix.length));
    }
    return { entries, makers };
  }

  async #locked<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const lock: FileLock = await lockFile(join(this.#path, ".lock"), { ...(signal && { signal }) });
    try {
      return await work();
    } finally {
      await lock.close();
    }
  }
}

/** Undefined for what a killed process left unfinished. */
async function readLease(path: string): Promise<LeaseRecord | undefined> {
  try {
    const record = JSON.parse((await readBounded(path, { limit: 64 << 10 })).toString("utf8")) as LeaseRecord;
    return typeof record.entry === "string" && typeof record.process.pid === "number" ? record : undefined;
  } catch {
    return undefined;
  }
}

async function isStale(record: LeaseRecord, { mtimeMs }: Stats): Promise<boolean> {
  if (Date.now() - mtimeMs > longestLease) return true;
  return await hasEnded(record.process, { lastSign: mtimeMs });
}
