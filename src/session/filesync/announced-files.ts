import type { ByteString, DirNode, WalkEntry } from "../../fs/index.js";

/** A file whose data the builder may ask for, as it was when it was announced. */
export interface AnnouncedFile {
  id: number;
  dir: DirNode;
  name: ByteString;
  /** Bytes. */
  size: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  dev: bigint;
  ino: bigint;
  /** A socket, announced as an empty file: it has no data to read. */
  socket: boolean;
}

const pageBits = 10;
const pageLength = 1 << pageBits;

const noSlots: readonly undefined[] = Array.from({ length: pageLength }, () => undefined);

function emptySlots<T>(): (T | undefined)[] {
  return noSlots.slice();
}

/** Columns for 1024 consecutive ids: 49 bytes an entry, two references, and the name. */
class Page {
  live = 0;
  readonly asked = new Uint8Array(pageLength);
  readonly dirs: (DirNode | undefined)[] = emptySlots<DirNode>();
  readonly names: (ByteString | undefined)[] = emptySlots<ByteString>();
  readonly sizes = new Float64Array(pageLength);
  readonly times = new BigInt64Array(2 * pageLength);
  readonly identities = new BigUint64Array(2 * pageLength);
}

/**
 * The files that may be asked for, by id. An entry is given out once and forgotten (SEC-43, MEM-1). A builder may ask for
 * all of them long before it takes the first: until then they stay in their columns.
 */
export class AnnouncedFiles {
  readonly #pages = new Map<number, Page>();

  /** Remembers a regular file under the id of its STAT packet. */
  add(id: number, { dir, name, stat, size, socket }: WalkEntry): void {
    const key = id >>> pageBits;
    let page = this.#pages.get(key);
    if (!page) this.#pages.set(key, (page = new Page()));
    const slot = id & (pageLength - 1);
    page.live++;
    page.dirs[slot] = dir;
    page.names[slot] = name;
    page.sizes[slot] = socket ? -1 : Number(size);
    page.times[2 * slot] = stat.mtimeNs;
    page.times[2 * slot + 1] = stat.ctimeNs;
    page.identities[2 * slot] = stat.dev;
    page.identities[2 * slot + 1] = stat.ino;
  }

  /** Takes note that a file is asked for; false for an id that was not announced, has no data, or was asked for before. */
  ask(id: number): boolean {
    const page = this.#pages.get(Math.floor(id / pageLength));
    const slot = id % pageLength;
    if (!page?.dirs[slot] || page.asked[slot] === 1) return false;
    page.asked[slot] = 1;
    return true;
  }

  /** The file of an id that was asked for, once. */
  take(id: number): AnnouncedFile {
    const key = Math.floor(id / pageLength);
    const page = this.#pages.get(key);
    const slot = id % pageLength;
    const dir = page?.dirs[slot];
    const name = page?.names[slot];
    if (!page || !dir || name === undefined) throw new Error(`file ${id} was taken already`);
    const size = page.sizes[slot] as number;
    const file: AnnouncedFile = {
      id,
      dir,
      name,
      size: Math.max(size, 0),
      mtimeNs: page.times[2 * slot] as bigint,
      ctimeNs: page.times[2 * slot + 1] as bigint,
      dev: page.identities[2 * slot] as bigint,
      ino: page.identities[2 * slot + 1] as bigint,
      socket: size < 0,
    };
    page.dirs[slot] = undefined;
    page.names[slot] = undefined;
    if (--page.live === 0) this.#pages.delete(key);
    return file;
  }
}

/** The path of an entry, put together from the names on the way to it. Remembers the last directory's. */
export class PathBuilder {
  #dir: DirNode | undefined;
  #prefix: ByteString = "";

  /** Relative to the root. */
  pathOf(dir: DirNode, name: ByteString): ByteString {
    if (dir !== this.#dir) {
      let prefix = "";
      for (let node: DirNode = dir; node.parent; node = node.parent) prefix = `${node.name}/${prefix}`;
      this.#dir = dir;
      this.#prefix = prefix;
    }
    return this.#prefix + name;
  }
}
