import { SlipwayError } from "../core/index.js";
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
  const budget: Budget = { names: 0, bytes: 0 };
  const targetsOf = (path: ByteString) =>
    wildcards && hasWildcard(baseOf(path)) ? wildcardTargets(source, path, budget) : linkTarget(source, path);
  const open = paths.map((path) => ahead(path, undefined)).reverse();
  for (let way = open.pop(); way !== undefined; way = open.pop()) {
    for (const next of follow(source, way, { resolved, targetsOf, budget }).reverse()) open.push(next);
  }
  return resolved;
}

/**
 * Parts of a path that are still ahead. What follows a link is shared by all that it leads to, so that a long way behind many
 * links is not copied for each.
 */
interface Way {
  part: ByteString;
  next: Way | undefined;
}

function ahead(path: ByteString, next: Way | undefined): Way {
  const inRoot = pathInRoot(path);
  if (inRoot === "." && next) return next;
  let way = next;
  for (const part of inRoot.split("/").reverse()) way = { part, next: way };
  return way as Way;
}

/** What one request has cost: names that were matched, bytes of the paths found. */
interface Budget {
  names: number;
  bytes: number;
}

// Patterns of a builder times links of a context: each many, together without end.
const mostNames = 1_000_000;
const mostBytes = 64 << 20;

function spend(budget: Budget, { names = 0, bytes = 0 }: Partial<Budget>): void {
  budget.names += names;
  budget.bytes += bytes;
  if (budget.names <= mostNames && budget.bytes <= mostBytes) return;
  throw new SlipwayError(
    "FS_FOLLOW",
    budget.names > mostNames
      ? `the paths that the builder asks for match more than ${mostNames} names`
      : `the paths that the builder asks for lead to more than ${mostBytes} bytes of other paths`,
  );
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

interface FollowContext {
  resolved: Set<ByteString>;
  targetsOf: (path: ByteString) => ByteString[];
  budget: Budget;
}

/** Goes along one path up to its first link; gives the paths to go along next. */
function follow(source: TreeSource, way: Way, { resolved, targetsOf, budget }: FollowContext): Way[] {
  // Below anything but a real directory nothing is looked up: a link there could lead out of the tree. (A link that
  // was not followed can stand there under a name with a wildcard in it.)
  let inside = true;
  let current = "";
  for (let at: Way | undefined = way; at !== undefined; at = at.next) {
    current = current === "" ? at.part : `${current}/${at.part}`;
    const targets = inside ? targetsOf(current) : [];
    const rest = at.next;
    if (rest && targets.length === 0) {
      inside &&= isDirectory(modeOf(source, current));
      continue;
    }
    if (resolved.has(current)) return [];
    spend(budget, { bytes: current.length });
    resolved.add(current);
    return targets.map((target) => ahead(target, rest));
  }
  return [];
}

/** Where the symbolic links lead whose names match the last part of a path. */
function wildcardTargets(source: TreeSource, path: ByteString, budget: Budget): ByteString[] {
  const base = baseOf(path);
  const parent = parentOf(path);
  const targets: ByteString[] = [];
  const names = listIfThere(source, parent);
  spend(budget, { names: names.length });
  for (const marked of names) {
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
