import { protocolError, quotePath } from "./export-error.js";

const slash = 0x2f;
const dot = 0x2e;
const none = Buffer.alloc(0);

/** Longest path and name taken, in bytes (Linux PATH_MAX and NAME_MAX). */
const maxPath = 4096;
const maxName = 255;

interface OpenDirectory {
  path: Buffer;
  /** What the caller knows the directory by. */
  index: number;
  /** Name of the last entry seen in it. */
  last: Buffer;
}

/** Options of {@link EntryOrder}. */
export interface EntryOrderOptions {
  /** How many directories may be nested. */
  maxDepth: number;
  /** Called when no further entry can come in a directory, innermost first. */
  onLeave?(index: number): void;
}

/**
 * Checks the paths of a listing: each must be clean and relative, its parent must have been announced as a directory,
 * and the order is strictly that of a walk in which siblings are compared by their bytes (fsutil validator.go). Keeps
 * nothing but the chain of directories that the walk is in.
 */
export class EntryOrder {
  /** Of the entry that {@link check} took last. */
  parent = 0;
  name: Buffer = none;

  readonly #options: EntryOrderOptions;
  readonly #chain: OpenDirectory[];

  /** @param root what the caller knows the listing's root by */
  constructor(root: number, options: EntryOrderOptions) {
    this.#options = options;
    this.#chain = [{ path: none, index: root, last: none }];
  }

  /**
   * Takes the next path; `parent` and `name` then say where it goes.
   * @throws ExportError SESSION_EXPORT_PROTOCOL when the path may not come here
   */
  check(path: Buffer): void {
    if (path.length > maxPath) throw protocolError(`path of ${path.length} bytes is too long`);
    const cut = path.lastIndexOf(slash);
    let top = this.#chain[this.#chain.length - 1] as OpenDirectory;
    while (!isIn(top.path, path, cut)) {
      if (this.#chain.length === 1) throw explain(path, top.last);
      this.#leave();
      top = this.#chain[this.#chain.length - 1] as OpenDirectory;
    }
    const name = cut < 0 ? path : path.subarray(cut + 1);
    checkName(name, path);
    if (top.last.length > 0 && name.compare(top.last) <= 0) {
      throw protocolError(`changes out of order: ${quotePath(path)} ${quotePath(top.last)}`);
    }
    // A copy, since the message that the name is a view of would stay in memory with it.
    top.last = Buffer.from(name);
    this.name = top.last;
    this.parent = top.index;
  }

  /** Says that the entry taken last is a directory, known as `index`: entries below it may follow. */
  enter(path: Buffer, index: number): void {
    if (this.#chain.length > this.#options.maxDepth) {
      throw protocolError(`${quotePath(path)} is nested deeper than ${this.#options.maxDepth} directories`);
    }
    this.#chain.push({ path: Buffer.from(path), index, last: none });
  }

  /** Ends the listing: leaves every directory, the root too. */
  finish(): void {
    while (this.#chain.length > 0) this.#leave();
  }

  #leave(): void {
    const left = this.#chain.pop();
    if (left) this.#options.onLeave?.(left.index);
  }
}

/** True when `path`, whose last slash is at `cut`, is an entry of `directory`. */
function isIn(directory: Buffer, path: Buffer, cut: number): boolean {
  if (cut <= 0) return cut < 0 && directory.length === 0;
  return directory.length === cut && directory.compare(path, 0, cut) === 0;
}

/**
 * Splits a path that the daemon names as the target of a link, with the same rules for its form.
 * @throws ExportError SESSION_EXPORT_PROTOCOL when it is not clean and relative
 */
export function splitPath(path: Buffer): Buffer[] {
  if (path.length > maxPath) throw protocolError(`path of ${path.length} bytes is too long`);
  const names: Buffer[] = [];
  for (let at = 0; at <= path.length;) {
    const next = path.indexOf(slash, at);
    const name = path.subarray(at, next < 0 ? path.length : next);
    checkName(name, path);
    names.push(name);
    if (next < 0) break;
    at = next + 1;
  }
  return names;
}

function checkName(name: Buffer, path: Buffer): void {
  const { length } = name;
  if (length === 0) throw protocolError(`path ${quotePath(path)} is not clean`);
  if (length > maxName) throw protocolError(`name of ${length} bytes is too long in ${quotePath(path)}`);
  if (name[0] === dot && (length === 1 || (length === 2 && name[1] === dot))) {
    throw protocolError(`path ${quotePath(path)} is not clean`);
  }
  if (name.includes(0)) throw protocolError(`path ${quotePath(path)} contains a NUL byte`);
}

/** Says what is wrong with a path whose parent is no directory that the walk is in. */
function explain(path: Buffer, last: Buffer): Error {
  if (path[0] === slash) return protocolError(`path ${quotePath(path)} is not relative`);
  try {
    splitPath(path);
  } catch (error) {
    return error as Error;
  }
  return protocolError(
    `changes out of order: ${quotePath(path)} ${quotePath(last)}, its directory was not announced before`,
  );
}
