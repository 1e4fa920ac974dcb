import type { ByteString } from "./bytes.js";

/**
 * The names of a directory in byte order, one after the other. Made of batches that were sorted one by one, so that a
 * directory of a million names takes no pause of seconds to sort.
 */
export class SortedNames {
  /** Sorted runs with the place of their next name; a heap by that name. */
  readonly #runs: { names: ByteString[]; next: number; head: ByteString }[] = [];

  /** Takes some of the names, in any order. To be called before {@link next}. */
  add(names: ByteString[]): void {
    const [head] = names.sort();
    if (head === undefined) return;
    this.#runs.push({ names, next: 1, head });
    for (let at = this.#runs.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfLess(at, parent)) break;
      at = parent;
    }
  }

  /** The next name, `undefined` after the last. */
  next(): ByteString | undefined {
    const [run] = this.#runs;
    if (!run) return undefined;
    const { head } = run;
    const following = run.names[run.next++];
    if (following !== undefined) {
      run.head = following;
    } else {
      const last = this.#runs.pop();
      if (last && last !== run) this.#runs[0] = last;
    }
    if (this.#runs.length > 1) this.#sink();
    return head;
  }

  #sink(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= this.#runs.length) return;
      const right = left + 1;
      const child = right < this.#runs.length && this.#head(right) < this.#head(left) ? right : left;
      if (!this.#swapIfLess(child, at)) return;
      at = child;
    }
  }

  #head(at: number): ByteString {
    return this.#runs[at]?.head ?? "";
  }

  #swapIfLess(at: number, parent: number): boolean {
    const lower = this.#runs[at];
    const upper = this.#runs[parent];
    if (!lower || !upper || lower.head >= upper.head) return false;
    this.#runs[parent] = lower;
    this.#runs[at] = upper;
    return true;
  }
}
