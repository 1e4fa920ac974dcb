import type { Blob } from "node:buffer";
import { type Bytes, InvalidArgumentError, bytesOf, isBlob, nameOf } from "../core/index.js";
import type { MemoryContent, MemoryEntry } from "../fs/index.js";
import type { SyncedDir } from "../session/index.js";
import type { MemoryFile, MemoryFiles } from "./contexts.js";

/** A directory in memory. */
export type MemoryDir = Extract<SyncedDir, { type: "memory" }>;

/**
 * An in-memory directory for the session to serve.
 *
 * @throws InvalidArgumentError for a path that is empty, absolute, or leaves the root, and for a file whose content is none.
 */
export function memoryDir(files: MemoryFiles): MemoryDir {
  const entries = new Map<string, MemoryEntry>();
  for (const [given, file] of Object.entries(files)) {
    if (file === undefined) continue;
    const path = given.replace(/^\.\//, "");
    if (path.split("/").some((part) => part === "" || part === "." || part === ".."))
      throw new InvalidArgumentError(
        `the context's path ${JSON.stringify(given)} must be relative and plain`,
      );
    entries.set(path, entryOf(given, file));
  }
  return { type: "memory", entries };
}

function entryOf(path: string, file: MemoryFile): MemoryEntry {
  if (!isDescribed(file)) return { content: contentOf(path, file) };
  if ("symlink" in file) return { symlink: file.symlink };
  return {
    content: contentOf(path, file.content),
    ...(file.mode !== undefined && { mode: file.mode }),
    ...(file.mtime && { mtime: file.mtime }),
  };
}

function isDescribed(
  file: MemoryFile,
): file is Extract<MemoryFile, { content: unknown } | { symlink: unknown }> {
  return typeof file === "object" && file !== null && ("content" in file || "symlink" in file);
}

function contentOf(path: string, content: string | Bytes | Blob): MemoryContent {
  if (isBlob(content)) return async () => Buffer.from(await content.arrayBuffer());
  const bytes = bytesOf(content);
  if (bytes) return bytes;
  const kinds = "a text or bytes (a Uint8Array, an ArrayBuffer or a Blob)";
  throw new InvalidArgumentError(
    `the context's file ${JSON.stringify(path)} must be ${kinds}, not ${nameOf(content)}`,
  );
}
