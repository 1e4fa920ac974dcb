import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { SlipwayError, throwIfAborted } from "../../core/index.js";
import { type TreeEntry, writeTree } from "../../session/index.js";
import { type FileSystem, type ResultEntry, filePieces, readDirectory, statFile } from "./file-system.js";

/** What {@link copyOut} copies, and where to. */
export interface CopyRequest {
  path: string;
  dest: string;
  signal?: AbortSignal | undefined;
}

/** Longest path of Linux. */
const longestPath = 4095;

/** Copies a file or a directory out of a file system in the daemon; see `LiveFiles.copyOut()`. */
export async function copyOut(files: FileSystem, { path, dest, signal }: CopyRequest): Promise<number> {
  const from = path.startsWith("/") ? path : `/${path}`;
  const entry = await resolved(files, from, signal);
  let written = 0;
  const count = async function* (entries: AsyncIterable<TreeEntry>) {
    for await (const one of entries) {
      if (one.type !== "directory") written++;
      yield one;
    }
  };
  if (entry.type === "directory") {
    const room = longestPath - Buffer.byteLength(resolve(dest)) - 1;
    await writeTree(dest, count(below(files, { from, to: "", room, signal })), signal);
    return written;
  }
  if (entry.type === "other")
    throw new SlipwayError("RESULT_FILE", `${path} in the result is neither a file nor a directory`);
  const isInto = dest.endsWith("/") || (await isDirectory(dest));
  const [directory, name] = isInto ? [dest, basename(from)] : [dirname(dest), basename(dest)];
  const only = async function* () {
    yield await Promise.resolve(toTreeEntry(files, { ...entry, path: from, to: name, signal }));
  };
  await writeTree(directory, count(only()), signal);
  return written;
}

/** What a path is; of a link, what it leads to, when it can be listed, else the link. */
async function resolved(
  files: FileSystem,
  path: string,
  signal: AbortSignal | undefined,
): Promise<ResultEntry> {
  const entry = await statFile(files, path, { signal });
  if (entry.type !== "symlink") return entry;
  const isListed = await readDirectory(files, path, { signal }).then(
    () => true,
    () => false,
  );
  return { ...entry, type: isListed ? "directory" : "file", mode: 0o644, size: Number.NaN };
}

interface Below {
  from: string;
  to: string;
  /** Bytes that a path below the destination may have. */
  room: number;
  signal: AbortSignal | undefined;
}

async function* below(files: FileSystem, { from, to, room, signal }: Below): AsyncGenerator<TreeEntry, void> {
  throwIfAborted(signal);
  for (const entry of await readDirectory(files, from, { signal })) {
    const path = join(from, entry.name);
    if (entry.name.includes("\ufffd"))
      throw new SlipwayError("RESULT_FILE", `${path} cannot be read from the result: its name is not UTF-8`);
    const inner = to === "" ? entry.name : `${to}/${entry.name}`;
    if (entry.type === "other") continue;
    // A daemon could tell of directories in directories for ever, and what is made here is to be reached, and removed, by its path.
    if (Buffer.byteLength(inner) > room)
      throw new SlipwayError(
        "BUILDER_CLAIM",
        `the builder tells of a path that would have more than ${longestPath} bytes here: ${from}`,
      );
    yield toTreeEntry(files, { ...entry, path, to: inner, signal });
    if (entry.type === "directory") yield* below(files, { from: path, to: inner, room, signal });
  }
}

function toTreeEntry(
  files: FileSystem,
  {
    type,
    mode,
    mtime,
    target,
    path,
    to,
    size,
    signal,
  }: ResultEntry & { path: string; to: string; signal: AbortSignal | undefined },
): TreeEntry {
  const base = { path: to, mode, mtime };
  if (type === "directory") return { ...base, type };
  if (type === "symlink") return { ...base, type, target: target ?? "" };
  return { ...base, type: "file", content: wholeFile(files, { path, size, signal }) };
}

/** A file's bytes, as many as were told of it: more would fill a disk, fewer would be half of it. */
async function* wholeFile(
  files: FileSystem,
  { path, size, signal }: { path: string; size: number; signal: AbortSignal | undefined },
): AsyncGenerator<Buffer, void> {
  let total = 0;
  for await (const piece of filePieces(files, path, { offset: 0, end: Number.POSITIVE_INFINITY, signal })) {
    total += piece.length;
    if (total > size) break;
    yield piece;
  }
  if (!Number.isNaN(size) && total !== size)
    throw new SlipwayError("BUILDER_CLAIM", `the builder told of ${size} bytes of ${path}, and sent others`);
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
