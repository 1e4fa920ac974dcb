import type { Blob } from "node:buffer";
import type { Readable } from "node:stream";
import {
  type ByteSource,
  type Bytes,
  bytesOf,
  holdReadable,
  isBlob,
  isByteSource,
  readOptions,
  readableOf,
  text,
} from "../core/index.js";

/** A file of an in-memory context: its content, or its content with a mode and a time. */
export type MemoryFile =
  | string
  | Bytes
  | Blob
  | {
      content: string | Bytes | Blob;
      /** Permission bits, default 0o644. */
      mode?: number;
      /** Default: the epoch, so that equal contents are equal contexts. */
      mtime?: Date;
    }
  | { symlink: string };

/** Files by path relative to the context's root; directories are implied. */
export type MemoryFiles = Readonly<Record<string, MemoryFile | undefined>>;

/** Where a build's files come from. A plain string is a directory, or a git or http(s) URL, as on the command line. */
export type ContextSource =
  | { type: "directory"; path: string }
  | { type: "files"; files: MemoryFiles }
  | { type: "tar"; stream: Readable | Uint8Array }
  | { type: "remote"; url: string };

/** A directory of this machine. */
export function dir(path: string): ContextSource {
  return { type: "directory", path };
}

/** A context from memory, sent file by file as BuildKit asks for them. */
export function files(entries: MemoryFiles): ContextSource {
  return { type: "files", files: entries };
}

/**
 * A tar archive, plain or compressed with gzip, bzip2 or xz, or with zstd for BuildKit 0.34 and later; unpacked by BuildKit,
 * never here. Comes as bytes, or from anything that
 * gives them: a stream of Node, what `fetch()` answers with as its `body`, what other packages pack.
 */
export function tar(stream: ByteSource | Bytes | Blob): ContextSource {
  const isStream = isBlob(stream) || isByteSource(stream);
  // Held from now on: it may fail, or a child that writes it may end, before the builder asks for it.
  if (isStream) return { type: "tar", stream: holdReadable(readableOf(stream)) };
  // What is neither is refused by the build, by name.
  return { type: "tar", stream: bytesOf(stream) ?? (stream as Uint8Array) };
}

/** A git repository that BuildKit clones; `ref` and `subdir` as in `url#ref:subdir`. */
export function git(url: string, given: { ref?: string; subdir?: string } = {}): ContextSource {
  const at = readOptions("git()", given, { ref: text(), subdir: text() });
  const fragment = at.ref !== undefined || at.subdir !== undefined;
  return {
    type: "remote",
    url: fragment ? `${url}#${at.ref ?? ""}${at.subdir === undefined ? "" : `:${at.subdir}`}` : url,
  };
}
