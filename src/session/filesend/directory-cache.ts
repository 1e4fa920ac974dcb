import type { DirectoryTable } from "./directory-table.js";
import { type OpenDirectory, closeDirectory, openChild } from "../../fs/index.js";

/** Directories kept open besides the root, so that the whole stays far below `ulimit -n 256`. */
const maxOpen = 48;

/**
 * The directories of a {@link DirectoryTable} that are open: those used last. Others are opened again, from the nearest
 * that is open, never through a link.
 */
export class DirectoryCache {
  readonly #table: DirectoryTable;
  readonly #root: OpenDirectory;
  /** In the order of their last use. */
  readonly #open = new Map<number, OpenDirectory>();
  /** Files come directory by directory, so most questions are for the last answer. */
  #lastIndex = 0;
  #last: OpenDirectory;

  /** @param root stays open, and the caller's */
  constructor(table: DirectoryTable, root: OpenDirectory) {
    this.#table = table;
    this.#root = root;
    this.#last = root;
  }

  /** The directory of that number. It may be closed when another one is asked for. @throws the system's error */
  get(index: number): OpenDirectory {
    if (index === this.#lastIndex) return this.#last;
    let directory = index === 0 ? this.#root : this.#open.get(index);
    if (!directory) directory = this.#reopen(index);
    else if (index !== 0) {
      this.#open.delete(index);
      this.#open.set(index, directory);
    }
    this.#lastIndex = index;
    this.#last = directory;
    return directory;
  }

  /** Takes over a directory that was just opened. */
  put(index: number, directory: OpenDirectory): void {
    this.#open.set(index, directory);
    if (this.#open.size <= maxOpen) return;
    for (const oldest of this.#open.keys()) {
      if (oldest === index || oldest === this.#lastIndex) continue;
      this.drop(oldest);
      return;
    }
  }

  /** Closes a directory if it is open. */
  drop(index: number): void {
    const directory = this.#open.get(index);
    if (!directory) return;
    this.#open.delete(index);
    closeDirectory(directory);
    if (this.#lastIndex !== index) return;
    this.#lastIndex = 0;
    this.#last = this.#root;
  }

  /** Closes all but the root. */
  close(): void {
    for (const index of this.#open.keys()) this.drop(index);
  }

  #reopen(index: number): OpenDirectory {
    const way = [index];
    let from = this.#table.parent(index);
    while (from !== 0 && !this.#open.has(from)) {
      way.push(from);
      from = this.#table.parent(from);
    }
    let within = this.#open.get(from) ?? this.#root;
    for (const step of way.reverse()) {
      const child = openChild(within, this.#table.name(step));
      if (!child) throw new Error("the directory was replaced meanwhile");
      this.put(step, child);
      within = child;
    }
    return within;
  }
}
