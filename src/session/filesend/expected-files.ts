import { randomInt } from "node:crypto";

/**
 * The set of regular files a listing has announced, for the check that a hard link names one of them. Keeps 8 bytes a
 * file instead of its path, as two hashes with random starts: whoever got two paths to collide would win a link to
 * another regular file inside the destination, nothing more.
 */
export class ExpectedFiles {
  #slots = new Uint32Array(2 * 1024);
  #count = 0;
  readonly #seedA = randomInt(1, 2 ** 32 - 1);
  readonly #seedB = randomInt(1, 2 ** 32 - 1);

  /** Adds a path (relative, without the root). */
  add(path: Buffer): void {
    if (this.#count * 3 >= this.#slots.length) this.#grow();
    const a = hash(path, this.#seedA, 0x0100_0193);
    const b = hash(path, this.#seedB, 0x85eb_ca6b) || 1;
    if (insert(this.#slots, a, b)) this.#count++;
  }

  /** True when the path was added. */
  has(path: Buffer): boolean {
    const a = hash(path, this.#seedA, 0x0100_0193);
    const b = hash(path, this.#seedB, 0x85eb_ca6b) || 1;
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      if (slots[2 * slot + 1] === 0) return false;
      if (slots[2 * slot] === a && slots[2 * slot + 1] === b) return true;
    }
  }

  #grow(): void {
    const old = this.#slots;
    const next = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] !== 0) insert(next, old[at] as number, old[at + 1] as number);
    }
    this.#slots = next;
  }
}

/** Pairs of hashes with linear probing; the second is never 0 in a slot that is taken. */
function insert(slots: Uint32Array, a: number, b: number): boolean {
  const mask = slots.length / 2 - 1;
  let slot = a & mask;
  while (slots[2 * slot + 1] !== 0) {
    if (slots[2 * slot] === a && slots[2 * slot + 1] === b) return false;
    slot = (slot + 1) & mask;
  }
  slots[2 * slot] = a;
  slots[2 * slot + 1] = b;
  return true;
}

function hash(bytes: Buffer, seed: number, factor: number): number {
  let value = seed | 0;
  for (let at = 0; at < bytes.length; at++) {
    value = Math.imul(value ^ (bytes[at] as number), factor);
    value ^= value >>> 15;
  }
  return value >>> 0;
}
