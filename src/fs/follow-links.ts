import type { ByteString } from "./bytes.js";
import { matchGlob } from "./glob.js";
import { goModeOf, isDirectory, isSymlink } from "./go-mode.js";
import { baseOf, cleanPath, joinPaths, parentOf, pathInRoot } from "./paths.js";
import { type EntryStat, type TreeSource, directoryMark, isGone } from "./tree-source.js";

/**
 * The paths that have to be sent so that `paths` can be reached through symbolic links: each path with its links and
 * what they lead to, sorted, without what lies below another of them (fsutil followlinks.go). `undefined` when the
 * root itself is among them: then everything is needed.
 *
 * Unlike Go, nothing outside the tree is ever looked at: `..` stops at the root (SEC-41).
 */
export function followLinks(source: TreeSource, paths: readonly ByteString[]): ByteString[] | undefined {
  return dedupePaths([...linkClosure(source, paths, { wildcards: true })].sort());
}

/**
 * The paths, every symbolic link on the way along them, and where those lead, all inside the tree.
 * @throws NodeJS.ErrnoException when a directory on the way cannot be searched.
 */
export function linkClosure(
  source: TreeSource,
  paths: readonly ByteString[],
  { wildcards }: { wildcards: boolean },
): Set<ByteString> {
  const resolved = new Set<ByteString>();
  const targetsOf = (path: ByteString) =>
    wildcards && hasWildcard(baseOf(path)) ? wildcardTargets(source, path) : linkTarget(source, path);
  const open = paths.map(pathInRoot).reverse();
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    open.push(...follow(source, path, resolved, targetsOf).reverse());
  }
  return resolved;
}

/** What a path leads to inside a tree. */
export interface Resolved {
  /** Relative, without links in it; `"."` is the root. */
  path: ByteString;
  stat: EntryStat;
}

/** More links than this on the way to one file are taken for a circle (Linux has 40, BuildKit's fs.RootPath 255). */
const mostLinks = 255;

/**
 * Goes along a path through all its symbolic links, as the builder does when the tree is on its side: `/` and `..` stay inside
 * the tree, so that what a link leads to on this machine does not matter (containerd continuity fs.RootPath).
 *
 * @returns undefined when it leads to nothing
 * @throws NodeJS.ErrnoException when a directory on the way cannot be searched
 */
export function resolveInside(source: TreeSource, path: ByteString): Resolved | undefined {
  const open = pathInRoot(path).split("/").reverse();
  let at = ".";
  let stat = source.lstat("");
  for (let links = 0; ;) {
    const part = open.pop();
    if (part === undefined) return stat && { path: at, stat };
    if (part === ".") continue;
    const next = pathInRoot(joinPaths(at, part));
    const [target] = linkTarget(source, next);
    if (target !== undefined) {
      if (++links > mostLinks) return undefined;
      open.push(...pathInRoot(target).split("/").reverse());
      at = ".";
      stat = source.lstat("");
      continue;
    }
    at = next;
    stat = source.lstat(at === "." ? "" : at);
    if (!stat || (open.length > 0 && !isDirectory(goModeOf(Number(stat.mode))))) return undefined;
  }
}

/** Goes along one path up to its first link; gives the paths to go along next. */
function follow(
  source: TreeSource,
  path: ByteString,
  resolved: Set<ByteString>,
  targetsOf: (path: ByteString) => ByteString[],
): ByteString[] {
  const parts = path.split("/");
  // Below anything but a real directory nothing is looked up: a link there could lead out of the tree. (A link that
  // was not followed can stand there under a name with a wildcard in it.)
  let inside = true;
  for (let i = 1; i <= parts.length; i++) {
    const current = parts.slice(0, i).join("/");
    const targets = inside ? targetsOf(current) : [];
    const last = i === parts.length;
    if (!last && targets.length === 0) {
      inside &&= isDirectory(modeOf(source, current));
      continue;
    }
    if (resolved.has(current)) return [];
    resolved.add(current);
    const rest = parts.slice(i).join("/");
    return targets.map((target) => pathInRoot(joinPaths(target, rest)));
  }
  return [];
}

/** Where the symbolic links lead whose names match the last part of a path. */
function wildcardTargets(source: TreeSource, path: ByteString): ByteString[] {
  const base = baseOf(path);
  const parent = parentOf(path);
  const targets: ByteString[] = [];
  for (const marked of listIfThere(source, parent)) {
    if (marked.endsWith(directoryMark) || matchGlob(base, marked) !== true) continue;
    targets.push(...linkTarget(source, joinPaths(parent, marked)));
  }
  return targets;
}

function listIfThere(source: TreeSource, dir: ByteString): ByteString[] {
  try {
    return source.list(dir);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function linkTarget(source: TreeSource, path: ByteString): ByteString[] {
  if (path === ".") return [];
  if (!isSymlink(modeOf(source, path))) return [];
  const text = source.readlink(path);
  if (text === undefined) return [];
  return [text.startsWith("/") ? cleanPath(text) : pathInRoot(joinPaths(parentOf(path), cleanPath(text)))];
}

/** Go's mode bits, 0 when there is nothing. */
function modeOf(source: TreeSource, path: ByteString): number {
  const stat = source.lstat(path);
  return stat ? goModeOf(Number(stat.mode)) : 0;
}

function hasWildcard(name: ByteString): boolean {
  return /^(?:[^\\*?[]|\\[^])*[*?[]/.test(name);
}

/**
 * Drops what lies below the entry before it. `undefined` when the root is among them. Expects a sorted list; fsutil
 * also hands it unsorted ones, and an absolute path at the front disappears then.
 */
export function dedupePaths(paths: readonly ByteString[]): ByteString[] | undefined {
  const kept: ByteString[] = [];
  let last = "";
  for (const path of paths) {
    if (path === ".") return undefined;
    if (path.startsWith(`${last}/`)) continue;
    kept.push(path);
    last = path;
  }
  return kept;
}
