import { randomBytes } from "node:crypto";
import { trimTrailing } from "../../core/index.js";
import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { setMetadataSync } from "../../fs/index.js";
import { DirectoryCache } from "./directory-cache.js";
import { DirectoryTable } from "./directory-table.js";
import { ExportError, errnoOf, ioError } from "./export-error.js";
import {
  type OpenDirectory,
  closeDirectory,
  descriptorPath,
  entryPath,
  makeAccessible,
  makeDirectorySync,
  openAgain,
  openChild,
  openRoot,
  selfPath,
} from "../../fs/index.js";
import { type Folding, probeFolding } from "./name-collisions.js";
import { removeTree } from "./remove-tree.js";
import { TimeSlice } from "./time-slice.js";

/** How often an entry that others keep changing is tried again. */
const attempts = 16;

/**
 * The destination of a directory export. Every entry is made in a directory held open and reached without following
 * links, whatever else happens to the tree meanwhile. Directories are known by number ({@link DirectoryTable}); they
 * are kept accessible to us until {@link finish} gives them their mode and time.
 */
export class ExportTree {
  readonly slice = new TimeSlice();
  readonly directories = new DirectoryTable();

  readonly #path: string;
  readonly #root: OpenDirectory;
  readonly #open: DirectoryCache;

  /** Opens the destination; it and missing parents are made with mode 0700 (buildkit session/filesync, FLT-95). */
  constructor(path: string) {
    this.#path = path;
    try {
      makeDirectorySync(path, 0o700);
      this.#root = openRoot(path);
    } catch (error) {
      throw ioError("open", path, error);
    }
    this.#open = new DirectoryCache(this.directories, this.#root);
  }

  /** The directory of that number, open. Valid until another one is asked for. @throws ExportError */
  directory(index: number): OpenDirectory {
    try {
      return this.#open.get(index);
    } catch (error) {
      throw ioError("open", this.pathOf(index, Buffer.alloc(0)), error);
    }
  }

  /** The path of an entry, for display. */
  pathOf(parent: number, name: Buffer): string {
    const directory = this.directories.path(parent).toString("utf8");
    return [trimTrailing(this.#path, "/"), directory, name.toString("utf8")].filter(Boolean).join("/");
  }

  /** How the destination's file system tells names apart; undefined when by every byte. */
  probeFolding(): Folding | undefined {
    return probeFolding(this.#root);
  }

  /** Names in a directory, in byte order. */
  list(index: number): Buffer[] {
    const directory = this.directory(index);
    try {
      return readdirSync(selfPath(directory), { encoding: "buffer" }).sort((a, b) => a.compare(b));
    } catch (error) {
      throw ioError("scandir", this.pathOf(index, Buffer.alloc(0)), error);
    }
  }

  /** Makes a directory, or takes the one that is there; what else is there is removed. */
  makeDirectory(
    parent: number,
    name: Buffer,
    mode: number,
    mtime: number,
  ): { index: number; existed: boolean } {
    const within = this.directory(parent);
    const path = entryPath(within.prefix, name);
    for (let attempt = 0; ; attempt++) {
      try {
        const existed = !made(path);
        const directory = openChild(within, name);
        if (directory) {
          // finish() gives it the mode announced.
          if (existed) makeAccessible(directory);
          const index = this.directories.add({ parent, name, mode, mtime });
          this.#open.put(index, directory);
          return { index, existed };
        }
        unlinkSync(path);
        if (attempt === attempts) throw new Error("the entry is replaced again and again");
      } catch (error) {
        if (errnoOf(error) === "ENOENT" && attempt < attempts) continue;
        throw ioError("mkdir", this.pathOf(parent, name), error);
      }
    }
  }

  /** Makes a symbolic link in place of what is there. `mtime` in microseconds. */
  async makeSymlink(parent: number, name: Buffer, target: Buffer, mtime: number): Promise<void> {
    await this.#put("symlink", parent, name, (path) => {
      symlinkSync(target, path);
      lutimesSync(path, seconds(mtime), seconds(mtime));
    });
  }

  /** Makes a hard link to a regular file of this tree in place of what is there. */
  async makeHardlink(parent: number, name: Buffer, target: readonly Buffer[]): Promise<void> {
    const chain: OpenDirectory[] = [];
    let within = this.#root;
    try {
      for (const step of target.slice(0, -1)) {
        const child = openChild(within, step);
        if (!child) throw new Error("a directory of the link's target was replaced");
        if (chain.length > 0) closeDirectory(chain.pop() as OpenDirectory);
        chain.push(child);
        within = child;
      }
      const from = entryPath(within.prefix, target[target.length - 1] as Buffer);
      if (!lstatSync(from).isFile()) throw new Error("the link's target was replaced");
      await this.#put("link", parent, name, (path) => linkSync(from, path));
    } catch (error) {
      throw error instanceof ExportError ? error : ioError("link", this.pathOf(parent, name), error);
    } finally {
      for (const directory of chain) closeDirectory(directory);
    }
  }

  /** Removes an entry with all below it. */
  async remove(parent: number, name: Buffer): Promise<void> {
    try {
      // A descriptor of our own: the tree may close its own meanwhile, and the number would then mean another file.
      const directory = openAgain(this.directory(parent));
      try {
        await removeTree(directory, name, this.slice);
      } finally {
        closeDirectory(directory);
      }
    } catch (error) {
      throw ioError("remove", this.pathOf(parent, name), error);
    }
  }

  /** A name for an entry that is not ready, in its directory. */
  temporaryName(): Buffer {
    return Buffer.from(`.slipway-${randomBytes(6).toString("hex")}.part`);
  }

  /** Gives `from` the name `to` in the same directory, in place of what is there. */
  async rename(parent: number, from: Buffer, to: Buffer): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const { prefix } = this.directory(parent);
      try {
        renameSync(entryPath(prefix, from), entryPath(prefix, to));
        return;
      } catch (error) {
        if (errnoOf(error) !== "EISDIR" || attempt === attempts) {
          throw ioError("rename", this.pathOf(parent, to), error);
        }
        await this.remove(parent, to);
      }
    }
  }

  /**
   * Gives all directories their mode and time, those announced last first: a parent's mode may shut us out. With `onError` it goes
   * on behind one that does not take them.
   */
  async finish({ onError }: { onError?: (error: Error) => void } = {}): Promise<void> {
    const { directories } = this;
    for (let index = directories.length - 1; index > 0; index--) {
      if (this.slice.spent()) await this.slice.pause();
      const parent = directories.parent(index);
      const name = directories.name(index);
      this.#open.drop(index);
      try {
        const within = this.directory(parent);
        const path = entryPath(within.prefix, name);
        const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
        try {
          setMetadata(fd, path, directories.mode(index), directories.mtime(index));
        } finally {
          closeSync(fd);
        }
      } catch (error) {
        const failure = ioError("chmod", this.pathOf(parent, Buffer.from(name)), error);
        if (!onError) throw failure;
        onError(failure);
      }
    }
  }

  /** Closes all directories; the tree is of no use afterwards. */
  close(): void {
    this.#open.close();
    closeDirectory(this.#root);
  }

  /** Makes an entry that is complete as soon as it is there: under its name, or beside it and renamed. */
  async #put(what: string, parent: number, name: Buffer, make: (path: Buffer) => void): Promise<void> {
    try {
      make(entryPath(this.directory(parent).prefix, name));
      return;
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw ioError(what, this.pathOf(parent, name), error);
    }
    const temporary = this.temporaryName();
    try {
      make(entryPath(this.directory(parent).prefix, temporary));
      await this.rename(parent, temporary, name);
    } catch (error) {
      throw error instanceof ExportError ? error : ioError(what, this.pathOf(parent, name), error);
    } finally {
      // Still there after a failure, or when both names were links to one file already (rename(2)).
      removeQuietly(entryPath(this.directory(parent).prefix, temporary));
    }
  }
}

/** Mode and time of an open file or directory, and where it was opened. `mtime` in microseconds. */
export function setMetadata(fd: number, path: Buffer, mode: number, mtime: number): void {
  setMetadataSync(fd, descriptorPath(fd, path), mode, seconds(mtime));
}

/**
 * Microseconds in the form that Node takes: seconds as a double. Older versions (libuv before 1.52) cut off what is below
 * a microsecond, towards zero; so this gives the nearest double that does not lose a microsecond by that. Node takes
 * negative numbers for "now", but not negative texts.
 */
export function seconds(mtime: number): number | string {
  const size = Math.abs(mtime);
  const nearest = size / 1e6;
  // What is left of whole seconds is exact, and the product nearly.
  const short = (nearest % 1) * 1e6 < size % 1e6;
  const value = short ? nearest + nearest * (1.5 * 2 ** -53) : nearest;
  return mtime < 0 ? String(-value) : value;
}

function made(path: Buffer): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

function removeQuietly(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already; and a temporary file that stays does no harm.
  }
}
