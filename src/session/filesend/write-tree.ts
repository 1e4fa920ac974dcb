import { isError, throwIfAborted } from "../../core/index.js";
import { ExportTree } from "./export-tree.js";
import { LargeFile, WriteBudget } from "./large-file.js";

/** What {@link writeTree} makes; a directory comes before what is in it. */
export interface TreeEntry {
  /** Below the destination, with `/`; no step of it is empty, `.` or `..`. */
  path: string;
  type: "file" | "directory" | "symlink";
  /** Permission bits. */
  mode: number;
  mtime: Date;
  /** Where a symlink leads. */
  target?: string;
  /** Of a file. */
  content?: AsyncIterable<Buffer>;
}

/** Bytes that are read before they are written. */
const heldBytes = 8 << 20;

/**
 * Writes a tree below a directory as a local export does: every entry is made in a directory held open and reached without
 * following links, a file is there whole or not at all, what is there already and has another name stays.
 *
 * @throws ExportError `SESSION_EXPORT_IO` that names the path; what the entries fail with; AbortedError
 */
export async function writeTree(
  dest: string,
  entries: AsyncIterable<TreeEntry>,
  signal?: AbortSignal,
): Promise<void> {
  const tree = new ExportTree(dest);
  const directories = new Map([["", 0]]);
  const budget = new WriteBudget(heldBytes);
  try {
    for await (const entry of entries) {
      throwIfAborted(signal);
      const slash = entry.path.lastIndexOf("/");
      const parent = directories.get(entry.path.slice(0, Math.max(slash, 0)));
      if (parent === undefined) throw new Error(`${entry.path} comes before its directory`);
      const index = await put(tree, {
        parent,
        name: Buffer.from(entry.path.slice(slash + 1)),
        entry,
        budget,
      });
      if (index !== undefined) directories.set(entry.path, index);
    }
    await tree.finish();
  } catch (error) {
    // Gives the directories their modes, so that their owner can reach what was written.
    await tree.finish({ onError: () => {} });
    throw isError(error) ? error : new Error(String(error));
  } finally {
    tree.close();
  }
}

async function put(
  tree: ExportTree,
  { parent, name, entry, budget }: { parent: number; name: Buffer; entry: TreeEntry; budget: WriteBudget },
): Promise<number | undefined> {
  // Without setuid and setgid: this may run as root, and a program of somebody else's that runs as root would be
  // dangerous.
  const mode = entry.mode & 0o777;
  const mtime = entry.mtime.getTime() * 1000;
  if (entry.type === "directory") return tree.makeDirectory(parent, name, mode, mtime).index;
  if (entry.type === "symlink") {
    await tree.makeSymlink(parent, name, Buffer.from(entry.target ?? ""), mtime);
    return undefined;
  }
  const file = new LargeFile(tree, { parent, name, mode, size: 0, mtime }, budget);
  try {
    for await (const chunk of entry.content ?? []) {
      file.append(chunk);
      if (budget.full) await budget.room();
    }
    await file.finish();
  } catch (error) {
    await file.abandon();
    throw error;
  }
  return undefined;
}
