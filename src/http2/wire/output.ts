import type { Duplex } from "node:stream";
import { frameHeadLength } from "./codes.js";

/** What is shorter is copied together with its neighbours: a write of its own costs more. */
const shortBytes = 2048;
const slabBytes = 32 * 1024;

/** Collects frames, and writes what has gathered at once: few large writes, no large copies. */
export class Output {
  readonly #duplex: Duplex;
  readonly #onWritten: () => void;
  #parts: Buffer[] = [];
  #slab = Buffer.alloc(0);
  /** slab[#from, #at) is gathered, and not yet among the parts. */
  #from = 0;
  #at = 0;
  #size = 0;
  #callbacks: (() => void)[] = [];
  /** Bytes that are gathered or with the duplex, and not out yet. */
  pending = 0;

  /** `onWritten` is called whenever the duplex has taken something off `pending`. */
  constructor(duplex: Duplex, onWritten: () => void) {
    this.#duplex = duplex;
    this.#onWritten = onWritten;
  }

  /** A frame's head; its payload follows by {@link put}. */
  head(length: number, type: number, flags: number, stream: number): void {
    const head = this.#room(frameHeadLength);
    head.writeUIntBE(length, this.#at, 3);
    head[this.#at + 3] = type;
    head[this.#at + 4] = flags;
    head.writeUInt32BE(stream, this.#at + 5);
    this.#advance(frameHeadLength);
  }

  /** A whole frame. */
  frame(type: number, flags: number, stream: number, payload: Buffer): void {
    this.head(payload.length, type, flags, stream);
    this.put(payload);
  }

  /** Bytes as they are. Long ones must not be changed until {@link afterwards} says so. */
  put(bytes: Buffer): void {
    if (bytes.length < shortBytes) {
      bytes.copy(this.#room(bytes.length), this.#at);
      this.#advance(bytes.length);
      return;
    }
    this.#cut();
    this.#parts.push(bytes);
    this.#size += bytes.length;
    this.pending += bytes.length;
  }

  /** Calls back when everything that is gathered by now is out. */
  afterwards(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  flush(): void {
    this.#cut();
    const parts = this.#parts;
    const last = parts.pop();
    if (!last) return;
    this.#parts = [];
    const size = this.#size;
    this.#size = 0;
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    const duplex = this.#duplex;
    if (duplex.destroyed || duplex.writableEnded) return;
    const done = (error?: Error | null) => {
      this.pending -= size;
      // Who waits for it then is told by the connection's end.
      if (error) return;
      for (const callback of callbacks) callback();
      this.#onWritten();
    };
    duplex.cork();
    for (const part of parts) duplex.write(part);
    duplex.write(last, done);
    duplex.uncork();
  }

  #room(length: number): Buffer {
    if (this.#slab.length - this.#at < length) {
      this.#cut();
      // Not from Node's pool, which would be held by what waits to be written.
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#from = 0;
      this.#at = 0;
    }
    return this.#slab;
  }

  #advance(length: number): void {
    this.#at += length;
    this.#size += length;
    this.pending += length;
  }

  #cut(): void {
    if (this.#at > this.#from) this.#parts.push(this.#slab.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}
