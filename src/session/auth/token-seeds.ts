import { randomBytes } from "node:crypto";

import { join } from "node:path";
import { isJsonObject } from "../../config/index.js";
import { untilAborted } from "../../core/index.js";
import {
  makeDirectory,
  type FileLock,
  LockError,
  lockFile,
  readBounded,
  sharedReason,
  writeFileAtomic,
} from "../../fs/index.js";

/** What a configuration directory that cannot be written answers. */
const readOnlyCodes = new Set(["EROFS", "EACCES", "EPERM", "ENOTDIR", "EEXIST"]);

/**
 * The client's random part of its token authority keys, by registry host: `.token_seed` in Docker's configuration
 * directory, shared with buildx under the lock that it takes (buildkit authprovider/tokenseed.go). Where nothing can be
 * written a seed lasts as long as this object.
 */
export class TokenSeeds {
  readonly #dir: string;
  readonly #seeds = new Map<string, Promise<Buffer>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The seed of a host, 16 bytes; made and kept when there is none yet. */
  get(host: string, signal?: AbortSignal): Promise<Buffer> {
    let seed = this.#seeds.get(host);
    if (!seed) {
      // Shared by all who ask meanwhile, so the first one's signal must not end it.
      seed = this.#load(host);
      this.#seeds.set(host, seed);
      seed.catch(() => this.#seeds.delete(host));
    }
    return signal ? untilAborted(signal, seed) : seed;
  }

  async #load(host: string): Promise<Buffer> {
    // Other users could put a seed there that they know (SEC-70).
    if (sharedReason(this.#dir) !== undefined) return randomBytes(16);
    const path = join(this.#dir, ".token_seed");
    const lock = await this.#lock();
    try {
      const seeds = await readSeeds(path);
      const known = seeds.get(host);
      if (known) return known;
      const seed = randomBytes(16);
      seeds.set(host, seed);
      // Without the lock another's seeds could be lost.
      if (lock) await writeSeeds(path, seeds);
      return seed;
    } finally {
      await lock?.close();
    }
  }

  async #lock(): Promise<FileLock | undefined> {
    try {
      await makeDirectory(this.#dir, 0o700);
      return await lockFile(join(this.#dir, ".token_seed.lock"), { timeout: 10_000 });
    } catch (error) {
      if (error instanceof LockError || isReadOnly(error)) return undefined;
      throw error;
    }
  }
}

async function readSeeds(path: string): Promise<Map<string, Buffer>> {
  const seeds = new Map<string, Buffer>();
  let content: unknown;
  try {
    content = JSON.parse((await readBounded(path, { limit: 4 << 20 })).toString("utf8"));
  } catch {
    // Not there, not readable, or cut short by somebody's crash: seeds can be made anew.
    return seeds;
  }
  if (!isJsonObject(content)) return seeds;
  for (const [host, entry] of Object.entries(content)) {
    const seed = isJsonObject(entry) ? entry["Seed"] : undefined;
    if (typeof seed === "string" && seed !== "") seeds.set(host, Buffer.from(seed, "base64"));
  }
  return seeds;
}

async function writeSeeds(path: string, seeds: ReadonlyMap<string, Buffer>): Promise<void> {
  const hosts = [...seeds].sort(([a], [b]) => (a < b ? -1 : 1));
  const content = Object.fromEntries(hosts.map(([host, seed]) => [host, { Seed: seed.toString("base64") }]));
  try {
    await writeFileAtomic(path, JSON.stringify(content, null, 2), { mode: 0o600 });
  } catch (error) {
    if (!isReadOnly(error)) throw error;
  }
}

function isReadOnly(error: unknown): boolean {
  return readOnlyCodes.has((error as NodeJS.ErrnoException).code ?? "");
}
