import { createHash } from "node:crypto";
import type { WalkEntry } from "../fs/index.js";

/** Entries that are noted one by one; of a larger tree only what lies in which of as many buckets. */
const mostEntries = 4096;
const hashBytes = 6;
const entryBytes = 2 * hashBytes;
const bucketBytes = 8;

/** Where a tree differs from the one that a sketch was made of. */
export type SketchDifference =
  /** The first entry that is new or not the same. */
  | { change: "added" | "changed"; path: string }
  /** One is gone; `after` is what came before it, if anything did. */
  | { change: "removed"; after?: string }
  /** The first of those that may be it, of a tree that is too large to be noted whole. */
  | { change: "among"; path: string };

/**
 * What a tree looks like, in some ten kilobytes and without a name in it, so that the first entry of another that differs can be told:
 * a hash of each path with one of what is there, in the order of the walk; of more than 4096 entries one hash a bucket of paths.
 */
export class InputSketch {
  readonly #entries: Buffer[] = [];
  readonly #buckets = Buffer.alloc(mostEntries * bucketBytes);
  #count = 0;

  /** Takes an entry in, with the digest of its content if it is a file. */
  add(entry: WalkEntry, digest: Buffer | undefined): void {
    this.#count++;
    const hashes = entryHashes(entry, digest);
    if (this.#count <= mostEntries) this.#entries.push(hashes);
    const at = bucketOf(hashes) * bucketBytes;
    const mark = createHash("sha256").update(hashes).digest();
    // The order does not matter, so that none need be kept.
    for (let index = 0; index < bucketBytes; index++)
      this.#buckets[at + index] = (this.#buckets[at + index] ?? 0) ^ (mark[index] ?? 0);
  }

  /** Whether a bucket is as in another sketch. */
  hasBucket(bucket: number, others: Buffer): boolean {
    const at = bucket * bucketBytes;
    return others.compare(this.#buckets, at, at + bucketBytes, at, at + bucketBytes) === 0;
  }

  toString(): string {
    return this.#count > mostEntries
      ? `buckets:${this.#buckets.toString("base64url")}`
      : `entries:${Buffer.concat(this.#entries).toString("base64url")}`;
  }

  /**
   * Compares a recorded sketch with a tree, whose entries `walk` gives, once or twice; undefined where they look the same, or where the
   * text is no sketch.
   */
  static async compare(
    recorded: string,
    walk: (onEntry: (entry: WalkEntry, digest: Buffer | undefined) => void) => Promise<unknown>,
  ): Promise<SketchDifference | undefined> {
    const [kind, text = ""] = recorded.split(":");
    const bytes = Buffer.from(text, "base64url");
    if (kind === "entries" && bytes.length % entryBytes === 0) return compareEntries(bytes, walk);
    if (kind === "buckets" && bytes.length === mostEntries * bucketBytes) return compareBuckets(bytes, walk);
    return undefined;
  }
}

type Walk = Parameters<typeof InputSketch.compare>[1];

async function compareEntries(bytes: Buffer, walk: Walk): Promise<SketchDifference | undefined> {
  const left = new Map<string, string>();
  const order: string[] = [];
  for (let at = 0; at < bytes.length; at += entryBytes) {
    const key = bytes.toString("hex", at, at + hashBytes);
    left.set(key, bytes.toString("hex", at + hashBytes, at + entryBytes));
    order.push(key);
  }
  let found: SketchDifference | undefined;
  const paths = new Map<string, string>();
  await walk((entry, digest) => {
    if (found) return;
    const hashes = entryHashes(entry, digest);
    const key = hashes.toString("hex", 0, hashBytes);
    const known = left.get(key);
    if (known === undefined) found = { change: "added", path: entry.path };
    else if (known !== hashes.toString("hex", hashBytes)) found = { change: "changed", path: entry.path };
    left.delete(key);
    paths.set(key, entry.path);
  });
  if (found || left.size === 0) return found;
  const gone = order.findIndex((key) => left.has(key));
  const after = paths.get(order[gone - 1] ?? "");
  return { change: "removed", ...(after !== undefined && { after }) };
}

async function compareBuckets(bytes: Buffer, walk: Walk): Promise<SketchDifference | undefined> {
  const now = new InputSketch();
  await walk((entry, digest) => now.add(entry, digest));
  const differs = (bucket: number) => !now.hasBucket(bucket, bytes);
  let found: SketchDifference | undefined;
  let isAny = false;
  for (let bucket = 0; bucket < mostEntries && !isAny; bucket++) isAny = differs(bucket);
  if (!isAny) return undefined;
  await walk((entry, digest) => {
    if (!found && differs(bucketOf(entryHashes(entry, digest))))
      found = { change: "among", path: entry.path };
  });
  return found ?? { change: "removed" };
}

/** A hash of the path, and one of all that is sent of the entry but its time. */
function entryHashes({ path, mode, linkname, size, stat }: WalkEntry, digest: Buffer | undefined): Buffer {
  const of = (...parts: readonly (string | Buffer)[]) => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return hash.digest().subarray(0, hashBytes);
  };
  const head = [mode >>> 0, size, linkname.length, stat.rdev].join(",");
  return Buffer.concat([
    of(Buffer.from(path, "latin1")),
    of(head, Buffer.from(linkname, "latin1"), digest ?? ""),
  ]);
}

function bucketOf(hashes: Buffer): number {
  return hashes.readUInt32BE(0) % mostEntries;
}
