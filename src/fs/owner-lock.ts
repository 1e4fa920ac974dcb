import { randomBytes } from "node:crypto";
import { link, rename, stat, unlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { sleep } from "../core/index.js";
import type { FileLock } from "./lock.js";
import { readBounded } from "./read-file.js";
import { bootId, isThere, machineId, processStat, startOfMachine } from "./process-identity.js";

/** Who holds a lock: enough to tell a process that is gone from one that runs (STO-11). */
interface Owner {
  pid: number;
  host: string;
  /** Empty, or absent, where nothing names the machine. */
  machineId?: string;
  /** Empty where there is no /proc. */
  bootId: string;
  /** Clock ticks since boot; empty where there is no /proc. */
  started: string;
  /** Names this one taking of the lock. */
  nonce: string;
}

const pollEvery = 50;

/**
 * A lock made of a file that names its owner, for places without flock(1). Does not exclude programs that use flock.
 *
 * The owner is named in the file `<path>.owner`. A dead owner is replaced by the one process that manages to create the
 * link `<path>.owner.<nonce of the dead one>` and renames it over the lock. If that process dies in between, its own
 * nonce is claimed in the same way.
 */
export class OwnerLock implements FileLock {
  readonly path: string;
  readonly kind = "owner";
  readonly #nonce: string;
  #held = true;

  private constructor(path: string, nonce: string) {
    this.path = path;
    this.#nonce = nonce;
  }

  /** Waits until the lock is ours. @throws AbortedError, NodeJS.ErrnoException when the directory cannot be written. */
  static async take(path: string, signal: AbortSignal): Promise<OwnerLock> {
    const owner = await ourselves();
    const draft = `${path}.owner.draft-${owner.nonce}`;
    await writeFile(draft, JSON.stringify(owner), { flag: "wx", mode: 0o600 });
    try {
      while (!(await tryTake(`${path}.owner`, draft))) await sleep(pollEvery, signal);
      return new OwnerLock(path, owner.nonce);
    } finally {
      await unlink(draft).catch(() => {}); // a second name of the lock, or of nothing
    }
  }

  async close(): Promise<void> {
    if (!this.#held) return;
    this.#held = false;
    const lock = `${this.path}.owner`;
    // Someone who takes us for dead may have replaced it: then it is not ours to remove.
    if ((await readOwner(lock))?.nonce === this.#nonce) await unlink(lock);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function tryTake(lock: string, draft: string): Promise<boolean> {
  if (await linkIfFree(draft, lock)) return true;
  const stale: string[] = [];
  let name = lock;
  for (;;) {
    const owner = await readOwner(name);
    if (!owner || (await isAlive(owner, name))) return false;
    stale.push(owner.nonce);
    const claim = `${lock}.${owner.nonce}`;
    if (await linkIfFree(draft, claim)) return replace(lock, claim, stale);
    name = claim;
  }
}

/** Puts our claim in the place of the dead, unless someone else has done so since we looked. */
async function replace(lock: string, claim: string, stale: string[]): Promise<boolean> {
  const names = [lock, ...stale.slice(0, -1).map((nonce) => `${lock}.${nonce}`)];
  for (const [i, name] of names.entries()) {
    if ((await readOwner(name))?.nonce === stale[i]) continue;
    await unlink(claim);
    return false;
  }
  await rename(claim, lock);
  for (const name of names.slice(1)) await unlink(name).catch(() => {}); // claims of the dead, of no use now
  return true;
}

async function linkIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse((await readBounded(path, { limit: 64 << 10 })).toString("utf8")) as Owner;
  } catch {
    return undefined; // given free meanwhile; files are linked when they are complete
  }
}

async function ourselves(): Promise<Owner> {
  return {
    pid: process.pid,
    host: hostname(),
    machineId: await machineId(),
    bootId: await bootId(),
    started: (await processStat(process.pid)).started,
    nonce: randomBytes(8).toString("hex"),
  };
}

/** Whether an owner may still be there. `path`: the file that names it, written when it took the lock. */
async function isAlive(owner: Owner, path: string): Promise<boolean> {
  if (owner.host !== hostname()) return true; // cannot be known from here
  if (owner.bootId !== (await bootId())) return !(await wasBeforeThisBoot(owner, path));
  if (!isThere(owner.pid)) return false;
  return owner.started === (await processStat(owner.pid)).started;
}

/**
 * Whether the owner ran on this machine before it was last started. Several machines may have the same host name and
 * share a directory, so an owner that took the lock since then is on another one.
 */
async function wasBeforeThisBoot(owner: Owner, path: string): Promise<boolean> {
  const sameMachine = owner.machineId === undefined || owner.machineId === (await machineId());
  const taken = await stat(path).catch(() => undefined);
  return sameMachine && taken !== undefined && taken.mtimeMs < startOfMachine();
}
