import type { ByteString } from "./bytes.js";

/** The shortest path with the same meaning, by the rules of Go's `path.Clean`: `""` becomes `"."`, `/..` becomes `/`. */
export function cleanPath(path: ByteString): ByteString {
  const rooted = path.startsWith("/");
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!rooted) kept.push("..");
  }
  const joined = kept.join("/");
  return rooted ? `/${joined}` : joined || ".";
}

/** The path inside a root, as `/` + path cleaned and made relative: never climbs out, `"."` is the root itself. */
export function pathInRoot(path: ByteString): ByteString {
  return cleanPath(`/${path}`).slice(1) || ".";
}

/** Cleaned concatenation as Go's `path.Join`: empty elements are left out. */
export function joinPaths(...parts: ByteString[]): ByteString {
  const kept = parts.filter((part) => part !== "");
  return kept.length === 0 ? "" : cleanPath(kept.join("/"));
}

/** Everything before the last `/`, `""` when there is none. Takes clean relative paths. */
export function parentOf(path: ByteString): ByteString {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** Everything after the last `/`. */
export function baseOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * The order in which a tree is sent: byte by byte with `/` before every other byte, so that a directory's content
 * follows it directly (fsutil validator.go, ComparePath).
 */
export function comparePaths(a: ByteString, b: ByteString): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    if (left === 0x2f) return -1;
    if (right === 0x2f) return 1;
    return left < right ? -1 : 1;
  }
  return a.length - b.length;
}
