import { SlipwayError } from "../core/index.js";
import { type ByteString, displayPath } from "./bytes.js";
import { describeSystemError } from "./system-error.js";
import type { TreeFilter } from "./filter.js";
import { goMode, goModeOf, isDirectory } from "./go-mode.js";
import type { MatchMemo } from "./patterns.js";
import { SortedNames } from "./sorted-names.js";
import { type EntryStat, type TreeSource, directoryMark, isForbidden, isGone } from "./tree-source.js";

/** A directory on the way to an entry. Keeps names only, so that many files of one directory share it. */
export interface DirNode {
  /** `undefined` in the root. */
  readonly parent: DirNode | undefined;
  /** `""` is the root. */
  readonly name: ByteString;
}

/** One entry of the walk, in the order in which it is sent. */
export interface WalkEntry {
  /** Relative, clean, never the root. */
  path: ByteString;
  dir: DirNode;
  name: ByteString;
  stat: EntryStat;
  /** Go's mode bits, with the socket bit cleared: a socket goes as an empty regular file (fsutil stat.go). */
  mode: number;
  /** True for a socket, which looks like a regular file here. */
  socket: boolean;
  /** Bytes as announced: 0 for directories. */
  size: bigint;
  /** Text of a symbolic link, or the path of the first entry that is the same file; else `""`. */
  linkname: ByteString;
}

/** The tree cannot be sent as it is; `paths` names what stands in the way (at most ten), escaped for display. */
export class WalkError extends SlipwayError {
  readonly paths: string[];

  constructor(message: string, paths: string[], options: { cause?: unknown } = {}) {
    super("FS_WALK", message, options);
    this.paths = paths;
  }
}

const maxReported = 10;
/** Directories whose own size is beyond this, in bytes, are read in batches: some ten thousand names. */
const largeDirectory = 256n * 1024n;

interface Frame {
  node: DirNode;
  path: ByteString;
  names: SortedNames | undefined;
  /** The names that are still to be read of a large directory. */
  batches: Generator<ByteString[], void> | undefined;
  /** Already given out; a directory that does not match itself is held back until something in it does. */
  announced: boolean;
  include: MatchMemo | undefined;
  exclude: MatchMemo | undefined;
  identity: EntryStat | undefined;
}

type EnteredDirectory = Pick<Frame, "node" | "path" | "announced"> &
  Partial<Pick<Frame, "include" | "exclude" | "identity">>;

/**
 * Walks a tree as fsutil does (fs.go, filter.go): byte order, directories before their content, parents of matching
 * entries given out just before the first of them, whole directories left out where no pattern can match in them.
 *
 * Pull with {@link next}. No recursion; memory is the listings of the directories on the current path.
 */
export class TreeWalker {
  readonly #source: TreeSource;
  readonly #filter: TreeFilter;
  readonly #stack: Frame[] = [];
  readonly #ready: WalkEntry[] = [];
  readonly #firstNames = new Map<bigint, Map<bigint, ByteString>>();
  readonly #unreadable: string[] = [];
  #unreadableCause: unknown;

  constructor(source: TreeSource, filter: TreeFilter) {
    this.#source = source;
    this.#filter = filter;
    this.#push({ node: { parent: undefined, name: "" }, path: "", announced: true });
  }

  /**
   * The next entry; `"pause"` when `deadline` (a `performance.now()` value) has passed and work is left; `undefined`
   * at the end.
   * @throws WalkError at the end when directories could not be read, naming up to ten; at once for other failures.
   */
  next(deadline = Infinity): WalkEntry | "pause" | undefined {
    for (let steps = 1; ; steps++) {
      const entry = this.#ready.shift();
      if (entry && this.#unreadable.length === 0) return entry;
      const frame = this.#stack.at(-1);
      if (!frame || this.#unreadable.length >= maxReported) break;
      if ((steps & 15) === 0 && performance.now() > deadline) return "pause";
      if (!frame.names || frame.batches) {
        this.#read(frame);
        steps |= 15; // it took its time: look at the clock
      } else {
        const name = frame.names.next();
        if (name === undefined) this.#stack.pop();
        else this.#visit(frame, name);
      }
    }
    if (this.#unreadable.length > 0) throw this.#unreadableError();
    return undefined;
  }

  /** Closes what is open. To be called when the walk is given up before its end. */
  close(): void {
    for (const frame of this.#stack.splice(0)) frame.batches?.return();
  }

  /** Reads the names of a directory, or some more of them. */
  #read(frame: Frame): void {
    try {
      if (!frame.names) {
        frame.names = new SortedNames();
        const stat = frame.path === "" ? this.#source.lstat("") : frame.identity;
        if (stat && stat.size > largeDirectory) frame.batches = this.#source.batches?.(frame.path);
        if (!frame.batches) frame.names.add(this.#source.list(frame.path));
      }
      const batch = frame.batches?.next();
      if (batch?.done) frame.batches = undefined;
      else if (batch) frame.names.add(batch.value);
    } catch (error) {
      frame.batches = undefined;
      if (frame.path !== "" && isGone(error)) return;
      if (!isForbidden(error)) throw failure(error, frame.path);
      // A directory that is only passed through may be closed, as for Go; more than one closed one is told at once.
      if (!frame.announced) return;
      this.#unreadableCause ??= error;
      this.#unreadable.push(displayPath(frame.path || "."));
    }
  }

  #visit(frame: Frame, marked: ByteString): void {
    const directory = marked.endsWith(directoryMark);
    const name = directory ? marked.slice(0, -1) : marked;
    const path = frame.path === "" ? name : `${frame.path}/${name}`;
    const { include, exclude } = this.#filter;
    let hidden = false;
    let includeMemo: MatchMemo | undefined;
    let excludeMemo: MatchMemo | undefined;
    if (include) {
      includeMemo = include.step(path, frame.include);
      if (!include.isMatch(includeMemo)) {
        if (!directory || this.#filter.holdsNoInclude(path)) return;
        hidden = true;
      }
    }
    if (exclude) {
      excludeMemo = exclude.step(path, frame.exclude);
      if (exclude.isMatch(excludeMemo)) {
        if (!directory || this.#filter.holdsNoException(path)) return;
        hidden = true;
      }
    }
    let stat: EntryStat | undefined;
    if (!hidden) {
      const entry = this.#describe(frame.node, name, path);
      if (!entry || !this.#announceParents()) return;
      stat = entry.stat;
      this.#ready.push(entry);
      if (!isDirectory(entry.mode)) return;
    }
    if (directory) {
      this.#push({
        node: { parent: frame.node, name },
        path,
        include: includeMemo,
        exclude: excludeMemo,
        announced: !hidden,
        identity: stat,
      });
    }
  }

  /** Gives out the directories above that were held back. False when one of them is gone by now. */
  #announceParents(): boolean {
    for (const frame of this.#stack) {
      if (frame.announced) continue;
      const entry = this.#describe(frame.node.parent as DirNode, frame.node.name, frame.path);
      if (!entry) return false;
      frame.announced = true;
      frame.identity = entry.stat;
      this.#ready.push(entry);
    }
    return true;
  }

  #describe(dir: DirNode, name: ByteString, path: ByteString): WalkEntry | undefined {
    try {
      const stat = this.#source.lstat(path);
      if (!stat) return undefined;
      let mode = goModeOf(Number(stat.mode));
      const socket = (mode & goMode.socket) !== 0;
      if (socket) mode -= goMode.socket;
      const directory = isDirectory(mode);
      let linkname = "";
      if ((mode & goMode.symlink) !== 0) {
        const text = this.#source.readlink(path);
        if (text === undefined) return undefined;
        linkname = text;
      } else if (!directory && stat.nlink > 1n) {
        linkname = this.#firstName(stat, path);
      }
      return { path, dir, name, stat, mode, socket, size: directory ? 0n : stat.size, linkname };
    } catch (error) {
      throw failure(error, path);
    }
  }

  /** The path under which this file was given out first, `""` when this is it (FLT-57: by device and inode). */
  #firstName(stat: EntryStat, path: ByteString): ByteString {
    let names = this.#firstNames.get(stat.dev);
    if (!names) this.#firstNames.set(stat.dev, (names = new Map()));
    const first = names.get(stat.ino);
    if (first === undefined) names.set(stat.ino, path);
    return first ?? "";
  }

  #push({ node, path, include, exclude, announced, identity }: EnteredDirectory): void {
    if (identity && this.#isLoop(identity)) {
      throw new WalkError(`directory ${displayPath(path)} contains itself`, [displayPath(path)]);
    }
    this.#stack.push({
      node,
      path,
      names: undefined,
      batches: undefined,
      announced,
      include,
      exclude,
      identity,
    });
  }

  /** True at the third directory of the same identity on one path: a bind mount may put a tree inside itself once. */
  #isLoop(identity: EntryStat): boolean {
    if (this.#stack.length < 32) return false;
    let same = 0;
    for (const frame of this.#stack) {
      if (frame.identity?.ino === identity.ino && frame.identity.dev === identity.dev) same++;
    }
    return same >= 2;
  }

  #unreadableError(): WalkError {
    const [first = ""] = this.#unreadable;
    const message =
      this.#unreadable.length === 1
        ? `open ${first}: permission denied`
        : `permission denied for ${this.#unreadable.length} directories: ${this.#unreadable.join(", ")}`;
    return new WalkError(message, this.#unreadable, { cause: this.#unreadableCause });
  }
}

function failure(error: unknown, path: ByteString): Error {
  if (error instanceof SlipwayError) return error;
  return new WalkError(describeSystemError(error, path || "."), [displayPath(path || ".")], { cause: error });
}
