import { createHash } from "node:crypto";
import {
  type ByteString,
  type FilterOptions,
  type WalkEntry,
  deviceNumbers,
  displayPath,
  goMode,
  isRegular,
  isSymlink,
  walkTree,
} from "../fs/index.js";
import { InvalidArgumentError } from "../core/index.js";
import { type OpenedDir, type SyncedDir, dirOpener } from "../session/index.js";
import { DigestCache } from "./input-digest-cache.js";

/** Files up to this many bytes are read in one step; larger ones in pieces of this size, without holding up anything. */
const pieceBytes = 1 << 20;

/** What {@link digestTree} found. */
export interface TreeDigest {
  /** `sha256:…` */
  digest: string;
  /** Files, directories, links and whatever else would be sent. */
  entries: number;
  /** Bytes of the files. */
  bytes: number;
}

/** Options of {@link digestTree}. */
export interface DigestTreeOptions extends FilterOptions {
  /** File that remembers digests between calls; without one every file is read. */
  cachePath?: string | undefined;
  /** Told of each entry; of a file with the digest of its content. */
  onEntry?: (entry: WalkEntry, digest: Buffer | undefined) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Digest of what a transfer of the tree would bring to the builder, of the same walk. Counts what BuildKit's own checksum of a
 * context counts (cache/contenthash): paths, types, permission bits, link texts, device numbers and content. Not times, owners
 * (sent as 0) and extended attributes (not sent), nor whether equal files are one file under several names.
 *
 * @throws WalkError, SyncError for what cannot be read or changes meanwhile; AbortedError.
 */
export async function digestTree(dir: SyncedDir, options: DigestTreeOptions): Promise<TreeDigest> {
  const { cachePath, onEntry, signal, ...filter } = options;
  const opened = await dirOpener(dir)("error");
  try {
    return await digestOpened(opened, { cachePath, onEntry, signal, filter });
  } finally {
    opened.close();
  }
}

async function digestOpened(
  opened: OpenedDir,
  {
    cachePath,
    onEntry,
    signal,
    filter,
  }: Pick<DigestTreeOptions, "cachePath" | "signal"> & {
    onEntry: DigestTreeOptions["onEntry"];
    filter: FilterOptions;
  },
): Promise<TreeDigest> {
  const cache = await DigestCache.open(cachePath);
  const buffer = Buffer.allocUnsafe(pieceBytes);
  const hash = createHash("sha256").update("slipway-tree-1\n");
  let entries = 0;
  let bytes = 0n;
  for await (const entry of walkTree(opened.tree, { ...filter, ...(signal && { signal }) })) {
    hash.update(head(entry));
    entries++;
    bytes += entry.size;
    if (!isRegular(entry.mode)) {
      onEntry?.(entry, undefined);
      continue;
    }
    const known = cache.find(entry.path, entry.stat);
    const digest = known ?? (await fileDigest(opened, entry, buffer));
    cache.keep(entry.path, entry.stat, digest, { isNew: !known });
    hash.update(digest);
    onEntry?.(entry, digest);
  }
  await cache.close();
  return { digest: `sha256:${hash.digest("hex")}`, entries, bytes: Number(bytes) };
}

/** Content of the one file that a path leads to, through links inside the tree; undefined when there is none. @throws InvalidArgumentError above `limit` bytes */
export async function readTreeFile(
  dir: SyncedDir,
  path: ByteString,
  limit: number,
): Promise<Buffer | undefined> {
  const opened = await dirOpener(dir)("error");
  try {
    return await readOpenedFile(opened, path, limit);
  } finally {
    opened.close();
  }
}

async function readOpenedFile(
  opened: OpenedDir,
  path: ByteString,
  limit: number,
): Promise<Buffer | undefined> {
  const found: WalkEntry[] = [];
  for await (const entry of walkTree(opened.tree, { followPaths: [path] }))
    if (isRegular(entry.mode)) found.push(entry);
  const [entry] = found;
  // More than one: the path leads to a directory.
  if (!entry || found.length > 1) return undefined;
  if (entry.size > limit)
    throw new InvalidArgumentError(
      `${displayPath(path)} has ${entry.size} bytes, and no more than ${limit} can be used`,
    );
  const file = open(opened, entry);
  try {
    const content = Buffer.allocUnsafe(Number(entry.size));
    await file.read(content, 0, content.length);
    return content;
  } finally {
    file.close();
  }
}

async function fileDigest(opened: OpenedDir, entry: WalkEntry, buffer: Buffer): Promise<Buffer> {
  const hash = createHash("sha256");
  const size = Number(entry.size);
  // A socket is sent as an empty file, and cannot be opened.
  if (entry.socket || size === 0) return hash.digest();
  const file = open(opened, entry);
  try {
    if (size <= buffer.length) {
      file.readSync(buffer, 0, size);
      hash.update(buffer.subarray(0, size));
    } else {
      for (let left = size; left > 0; left -= buffer.length) {
        const length = Math.min(left, buffer.length);
        await file.read(buffer, 0, length);
        hash.update(buffer.subarray(0, length));
      }
    }
    file.verify();
    return hash.digest();
  } finally {
    file.close();
  }
}

function open(opened: OpenedDir, { dir, name, path, size, socket, stat }: WalkEntry) {
  const { mtimeNs, ctimeNs, dev, ino } = stat;
  return opened.openFile({ id: 0, dir, name, size: Number(size), mtimeNs, ctimeNs, dev, ino, socket }, path);
}

/** What is known of an entry without its content, so that no two entries look the same. */
function head({ path, mode, linkname, stat }: WalkEntry): Buffer {
  const link = isSymlink(mode) ? linkname : "";
  const bytes = Buffer.allocUnsafe(20 + path.length + link.length);
  const device = (mode & goMode.device) !== 0 ? deviceNumbers(stat.rdev) : { major: 0n, minor: 0n };
  bytes.writeUInt32BE(mode >>> 0, 0);
  bytes.writeUInt32BE(Number(device.major), 4);
  bytes.writeUInt32BE(Number(device.minor), 8);
  bytes.writeUInt32BE(path.length, 12);
  bytes.writeUInt32BE(link.length, 16);
  bytes.write(path, 20, "latin1");
  bytes.write(link, 20 + path.length, "latin1");
  return bytes;
}
