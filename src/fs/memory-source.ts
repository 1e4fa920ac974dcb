import { createHash } from "node:crypto";
import { InvalidArgumentError } from "../core/index.js";
import { type ByteString, displayPath, toBytes } from "./bytes.js";
import { posixType } from "./go-mode.js";
import { cleanPath } from "./paths.js";
import { type EntryStat, type TreeSource, directoryMark } from "./tree-source.js";

/** Content of a file in memory; a function is called once, before the tree is walked for the first time. */
export type MemoryContent = Uint8Array | string | (() => Uint8Array | string | Promise<Uint8Array | string>);

/** One file or symbolic link of a tree in memory. */
export interface MemoryEntry {
  content?: MemoryContent;
  /** Permission bits, set-id and sticky bits included; default 0644. */
  mode?: number;
  /** Default: the epoch, so that equal trees have equal cache keys. */
  mtime?: Date;
  /** Makes the entry a symbolic link with this text. */
  symlink?: string;
}

/** A tree in memory, with the data of its files. */
export interface MemorySource extends TreeSource {
  /** The data of a file that was listed. */
  content(path: ByteString): Uint8Array;
}

interface Node {
  stat: EntryStat;
  children?: Map<ByteString, Node>;
  data?: Uint8Array;
  link?: ByteString;
}

/**
 * Builds a tree from `/`-separated relative paths. Directories are implied, with mode 0755.
 * @throws InvalidArgumentError for a path that is absolute, climbs out, or lies below a file.
 */
export async function memorySource(entries: ReadonlyMap<string, MemoryEntry>): Promise<MemorySource> {
  let lastIno = 0n;
  const stat = (mode: number, size: number, mtime: Date | undefined, data?: Uint8Array): EntryStat => {
    const ns =
      BigInt(mtime?.getTime() ?? 0) * 1_000_000n + fingerprint(data, mtime ? 1_000_000 : 1_000_000_000);
    const numbers = { dev: 0n, ino: ++lastIno, nlink: 1n, rdev: 0n };
    return { mode: BigInt(mode), size: BigInt(size), mtimeNs: ns, ctimeNs: ns, ...numbers };
  };
  const directory = (): Node => ({ stat: stat(posixType.dir | 0o755, 0, undefined), children: new Map() });
  const root = directory();

  const insert = (path: ByteString, node: Node): void => {
    const parts = path.split("/");
    const name = parts.pop() as string;
    let parent = root;
    for (const part of parts) {
      if (!parent.children) throw new InvalidArgumentError(`"${displayPath(path)}" lies below a file`);
      let child = parent.children.get(part);
      if (!child) parent.children.set(part, (child = directory()));
      parent = child;
    }
    if (!parent.children) throw new InvalidArgumentError(`"${displayPath(path)}" lies below a file`);
    if (parent.children.has(name)) throw new InvalidArgumentError(`"${displayPath(path)}" is there twice`);
    parent.children.set(name, node);
  };

  for (const [text, entry] of entries) {
    const path = checkedPath(text);
    if (entry.symlink !== undefined) {
      const link = toBytes(entry.symlink);
      insert(path, { stat: stat(posixType.symlink | 0o777, link.length, entry.mtime), link });
      continue;
    }
    const data = await contentOf(entry.content);
    const mode = posixType.regular | ((entry.mode ?? 0o644) & 0o7777);
    insert(path, { stat: stat(mode, data.length, entry.mtime, data), data });
  }

  const find = (path: ByteString): Node | undefined => {
    let node: Node | undefined = root;
    if (path !== "") for (const part of path.split("/")) node = node?.children?.get(part);
    return node;
  };
  return {
    list: (path) =>
      [...(find(path)?.children ?? [])]
        .map(([name, node]) => (node.children ? name + directoryMark : name))
        .sort(),
    lstat: (path) => find(path)?.stat,
    readlink: (path) => find(path)?.link,
    content: (path) => find(path)?.data ?? new Uint8Array(),
  };
}

function checkedPath(text: string): ByteString {
  const path = toBytes(text);
  const clean = cleanPath(path);
  const escapes = path.startsWith("/") || clean === "." || clean === ".." || clean.startsWith("../");
  if (escapes || path.includes("\0")) {
    throw new InvalidArgumentError(`"${displayPath(path)}" is not a path inside the context`);
  }
  return clean;
}

async function contentOf(content: MemoryContent | undefined): Promise<Uint8Array> {
  const value = typeof content === "function" ? await content() : content;
  return typeof value === "string" ? Buffer.from(value, "utf8") : (value ?? new Uint8Array());
}

/**
 * Nanoseconds below `range` that stand for the content. A builder that knows the tree from before asks only for files whose size or
 * time differ (fsutil diff.go), so other content must mean another time. Layers have whole seconds and do not show it.
 */
function fingerprint(data: Uint8Array | undefined, range: number): bigint {
  if (!data || data.length === 0) return 0n;
  return BigInt(createHash("sha256").update(data).digest().readUInt32BE(0) % range);
}
