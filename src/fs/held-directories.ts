import type { ByteString } from "./bytes.js";
import { type OpenDirectory, closeDirectory, openChild, openRoot } from "./open-directory.js";
import { baseOf, parentOf } from "./paths.js";

/** Directories kept open besides the root, so that the whole stays far below `ulimit -n 256`. */
const maxOpen = 32;

/**
 * The directories of a tree as they are reached from its root without following a link, held open while they are in use: whatever
 * takes their names meanwhile, what is looked up below them is in the tree (SEC-41). Where directories cannot be held, they are
 * checked each time to be no links.
 */
export class HeldDirectories {
  readonly #root: Held;
  /** By path, in the order in which they were opened. */
  readonly #open = new Map<ByteString, Held>();
  #last: ByteString = "";
  #lastPrefix: ByteString;
  #closed = false;

  /** @param path absolute, the root's */
  constructor(path: string | Buffer) {
    this.#root = held(openRoot(path));
    this.#lastPrefix = this.#root.prefix;
  }

  /**
   * The prefix to which a name in the directory is appended; `""` is the root. Valid until the next call.
   * @throws NodeJS.ErrnoException, ENOTDIR for what is no directory (any more)
   */
  prefixOf(path: ByteString): ByteString {
    if (path === this.#last && this.#root.directory.fd >= 0) return this.#lastPrefix;
    const way: ByteString[] = [];
    let at = path;
    while (at !== "" && !this.#open.has(at)) {
      way.push(at);
      at = parentOf(at);
    }
    let within = this.#open.get(at) ?? this.#root;
    for (const next of way.reverse()) within = this.#descend(within, next);
    this.#last = path;
    return (this.#lastPrefix = within.prefix);
  }

  /** Closes all. Nothing can be looked up afterwards. Idempotent. */
  close(): void {
    for (const { directory } of this.#open.values()) closeDirectory(directory);
    this.#open.clear();
    if (!this.#closed) closeDirectory(this.#root.directory);
    this.#closed = true;
  }

  #descend({ directory }: Held, path: ByteString): Held {
    const child = openChild(directory, Buffer.from(baseOf(path), "latin1"));
    if (!child) throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
    const found = held(child);
    // Without descriptors no directory can be held open, so it is checked each time.
    if (child.fd < 0) return found;
    this.#open.set(path, found);
    if (this.#open.size > maxOpen) {
      for (const [oldest, { directory: old }] of this.#open) {
        this.#open.delete(oldest);
        closeDirectory(old);
        break;
      }
    }
    return found;
  }
}

interface Held {
  directory: OpenDirectory;
  /** As a byte string. */
  prefix: ByteString;
}

function held(directory: OpenDirectory): Held {
  return { directory, prefix: directory.prefix.toString("latin1") };
}
