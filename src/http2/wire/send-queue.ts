import type { Output } from "./output.js";

interface Item {
  bytes: Buffer;
  onSent: (() => void) | undefined;
}

/** Bytes of one stream that wait for its windows. */
export class SendQueue {
  #items: Item[] = [];
  #first = 0;
  /** How much of the first item is gone. */
  #offset = 0;
  length = 0;

  push(bytes: Buffer, onSent: (() => void) | undefined): void {
    this.#items.push({ bytes, onSent });
    this.length += bytes.length;
  }

  /** Moves `count` bytes to the output, which calls back for every item that is out with them. */
  move(count: number, output: Output): void {
    this.length -= count;
    for (let left = count; left > 0;) {
      const item = this.#items[this.#first] as Item;
      const taken = Math.min(left, item.bytes.length - this.#offset);
      const end = this.#offset + taken;
      output.put(taken === item.bytes.length ? item.bytes : item.bytes.subarray(this.#offset, end));
      left -= taken;
      this.#offset = end;
      if (end < item.bytes.length) return;
      if (item.onSent) output.afterwards(item.onSent);
      this.#next();
    }
  }

  clear(): void {
    this.#items = [];
    this.#first = 0;
    this.#offset = 0;
    this.length = 0;
  }

  #next(): void {
    this.#offset = 0;
    this.#first++;
    if (this.#first === this.#items.length) {
      this.#items = [];
      this.#first = 0;
    } else if (this.#first > 1024) {
      this.#items.splice(0, this.#first);
      this.#first = 0;
    }
  }
}
