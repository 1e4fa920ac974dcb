import { createHash } from "node:crypto";
import { utimes } from "node:fs/promises";
import { dirname } from "node:path";
import {
  type ByteString,
  type EntryStat,
  comparePaths,
  keepFile,
  readBounded,
  sharedReason,
} from "../fs/index.js";

/** First bytes of a file of digests; another version is read as empty. */
const magic = Buffer.from("slipway-digests-1\n");
const digestBytes = 32;
/** Inode, size, mtime and ctime. */
const statBytes = 32;

/** Larger than this, in bytes, a file of digests is not kept: half a million files or so. */
const largestFile = 64 << 20;
/** Trees that are remembered; those not asked for the longest go. */
const mostTrees = 32;

/**
 * How long after its last change a file is not trusted to show the next one by its times, in ns: those of Linux move in
 * steps of up to 10 ms, those of file systems that have whole seconds by 1 s or 2.
 */
const settling = { fine: 50_000_000n, coarse: 2_100_000_000n };

/**
 * Digests of a tree's files from earlier walks, each good as long as inode, size, mtime and ctime are the same. Asked in the
 * order of the walk, in which the file has them as well, so that neither needs a table of all paths. What is new is kept aside
 * and takes the file's place as a whole; of several writers the last one wins, and none can spoil another's.
 */
export class DigestCache {
  readonly #path: string | undefined;
  readonly #now: bigint;
  readonly #old: Buffer;
  #position = magic.length;
  readonly #kept: Buffer[] = [magic];
  #keptBytes = magic.length;
  #changed = false;

  private constructor(path: string | undefined, old: Buffer) {
    this.#path = path;
    this.#old = old;
    this.#now = BigInt(Date.now()) * 1_000_000n;
  }

  /** Reads the file, which need not be there. Without a path nothing is remembered. */
  static async open(path: string | undefined): Promise<DigestCache> {
    const limit = largestFile + digestBytes;
    // What others wrote could hide changes of files (SEC-70).
    if (path !== undefined && sharedReason(dirname(path)) !== undefined)
      return new DigestCache(undefined, magic);
    const content =
      path === undefined ? undefined : await readBounded(path, { limit }).catch(() => undefined);
    return new DigestCache(path, checked(content) ?? magic);
  }

  /** The digest that a file had when it was as it is now. Paths must come in the order of the walk. */
  find(path: ByteString, stat: EntryStat): Buffer | undefined {
    while (this.#position < this.#old.length) {
      const start = this.#position + 2;
      const end = start + this.#old.readUInt16BE(this.#position);
      const order = comparePaths(this.#old.toString("latin1", start, end), path);
      if (order > 0) return undefined;
      this.#position = end + statBytes + digestBytes;
      if (order === 0) {
        const isSame = statOf(stat).equals(this.#old.subarray(end, end + statBytes));
        if (isSame) return this.#old.subarray(end + statBytes, this.#position);
      }
      this.#changed = true;
    }
    return undefined;
  }

  /** Remembers the digest of a file, unless it may still change without showing it. */
  keep(path: ByteString, stat: EntryStat, digest: Buffer, { isNew }: { isNew: boolean }): void {
    if (path.length > 0xffff || this.#path === undefined) return;
    if (isNew) {
      const latest = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
      const window = stat.ctimeNs % 1_000_000_000n === 0n ? settling.coarse : settling.fine;
      if (latest + window > this.#now) return;
      this.#changed = true;
    }
    const head = Buffer.allocUnsafe(2 + path.length);
    head.writeUInt16BE(path.length);
    head.write(path, 2, "latin1");
    this.#keptBytes += head.length + statBytes + digestBytes;
    if (this.#keptBytes <= largestFile) this.#kept.push(head, statOf(stat), digest);
  }

  /** Writes what is remembered, if it is not what was read. Failing is no harm: the next walk reads the files again. */
  async close(): Promise<void> {
    const path = this.#path;
    if (path === undefined || this.#keptBytes > largestFile) return;
    if (this.#changed || this.#position < this.#old.length) {
      const content = Buffer.concat(this.#kept);
      await keepFile(path, Buffer.concat([content, sha256(content)]), { most: mostTrees });
    } else await utimes(path, new Date(), new Date()).catch(() => {}); // see above
  }
}

/** The records of a file without its checksum; undefined for anything that is not whole. */
function checked(content: Buffer | undefined): Buffer | undefined {
  if (!content?.subarray(0, magic.length).equals(magic)) return undefined;
  const records = content.subarray(0, -digestBytes);
  return sha256(records).equals(content.subarray(-digestBytes)) ? records : undefined;
}

function statOf({ ino, size, mtimeNs, ctimeNs }: EntryStat): Buffer {
  const bytes = Buffer.allocUnsafe(statBytes);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, ino), 0);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, size), 8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, mtimeNs), 16);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, ctimeNs), 24);
  return bytes;
}

function sha256(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}
