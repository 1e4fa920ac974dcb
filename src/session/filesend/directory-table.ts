/** What a table of directories knows of one. */
export interface DirectoryRecord {
  parent: number;
  name: Buffer;
  /** Permission bits, with setuid, setgid and sticky as chmod takes them. */
  mode: number;
  /** Microseconds since the epoch. */
  mtime: number;
}

/**
 * The directories of an export by number, in columns: some 25 bytes each and the name, so that a listing of millions
 * stays small. Number 0 is the root.
 */
export class DirectoryTable {
  /** How many there are, the root included. */
  length = 1;

  #parents = new Uint32Array(64);
  #modes = new Uint16Array(64);
  #mtimes = new Float64Array(64);
  #nameEnds = new Float64Array(64);
  #names = Buffer.allocUnsafeSlow(1024);

  /** Adds a directory and returns its number. */
  add(record: DirectoryRecord): number {
    const index = this.length++;
    if (index === this.#parents.length) this.#grow();
    const start = this.#nameEnds[index - 1] as number;
    const end = start + record.name.length;
    if (end > this.#names.length) {
      const names = Buffer.allocUnsafeSlow(Math.max(end, this.#names.length * 2));
      this.#names.copy(names, 0, 0, start);
      this.#names = names;
    }
    record.name.copy(this.#names, start);
    this.#parents[index] = record.parent;
    this.#modes[index] = record.mode;
    this.#mtimes[index] = record.mtime;
    this.#nameEnds[index] = end;
    return index;
  }

  parent(index: number): number {
    return this.#parents[index] as number;
  }

  /** A view, valid until the next {@link add}. */
  name(index: number): Buffer {
    return this.#names.subarray(this.#nameEnds[index - 1], this.#nameEnds[index]);
  }

  mode(index: number): number {
    return this.#modes[index] as number;
  }

  mtime(index: number): number {
    return this.#mtimes[index] as number;
  }

  /** Path from the root, without a leading slash; empty for the root. For display and for path-based file systems. */
  path(index: number): Buffer {
    const parts: Buffer[] = [];
    for (let at = index; at !== 0; at = this.parent(at)) {
      parts.unshift(Buffer.from(this.name(at)));
      if (this.parent(at) !== 0) parts.unshift(Buffer.from("/"));
    }
    return Buffer.concat(parts);
  }

  #grow(): void {
    const size = this.#parents.length * 2;
    this.#parents = copied(new Uint32Array(size), this.#parents);
    this.#modes = copied(new Uint16Array(size), this.#modes);
    this.#mtimes = copied(new Float64Array(size), this.#mtimes);
    this.#nameEnds = copied(new Float64Array(size), this.#nameEnds);
  }
}

function copied<T extends Uint32Array | Uint16Array | Float64Array>(target: T, source: T): T {
  target.set(source);
  return target;
}
