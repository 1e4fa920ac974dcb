import { InvalidArgumentError } from "../core/index.js";
import type { SyncedDir } from "../session/index.js";
import type { MemoryFiles } from "./contexts.js";

/**
 * An in-memory directory for the session to serve.
 *
 * @throws InvalidArgumentError for a path that is empty, absolute, or leaves the root.
 */
export function memoryDir(files: MemoryFiles): SyncedDir {
  const entries = new Map<string, { content?: Uint8Array; mode?: number; mtime?: Date; symlink?: string }>();
  for (const [given, file] of Object.entries(files)) {
    const path = given.replace(/^\.\//, "");
    if (path.split("/").some((part) => part === "" || part === "." || part === ".."))
      throw new InvalidArgumentError(
        `the context's path ${JSON.stringify(given)} must be relative and plain`,
      );
    if (typeof file === "string" || file instanceof Uint8Array) entries.set(path, { content: bytesOf(file) });
    else if ("symlink" in file) entries.set(path, { symlink: file.symlink });
    else
      entries.set(path, {
        content: bytesOf(file.content),
        ...(file.mode !== undefined && { mode: file.mode }),
        ...(file.mtime && { mtime: file.mtime }),
      });
  }
  return { type: "memory", entries };
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? Buffer.from(content) : content;
}
