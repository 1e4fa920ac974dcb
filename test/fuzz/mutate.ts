/** Random numbers that a seed gives again (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Below `most`. */
  below(most: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % most;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

const odd = ["\0", "\xff\xff\xff\xff", "\x7f\xff\xff\xff\xff\xff\xff\xff", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "__proto__", "../", "\r\n", "\x1b[", '"', "\\", "{", "[", "]", "}", ",", "=", ":", "*", "**/", "?", "{0,1000}", "-1", "1e999", "9".repeat(40), " ", "\ud800", "%00", "#"]; // prettier-ignore
const largest = 64 * 1024;

/** A broken form of one of the seeds: bytes changed, left out, repeated, exchanged with those of another. */
export function mutate(random: Random, seeds: readonly Buffer[]): Buffer {
  let bytes = Buffer.from(random.of(seeds));
  for (let steps = 1 + random.below(6); steps > 0; steps--) {
    const at = random.below(bytes.length + 1);
    const to = at + random.below(Math.min(32, bytes.length - at) + 1);
    const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
    const put = (...parts: Uint8Array[]) => (bytes = Buffer.concat([before, ...parts, after]));
    const step = random.below(6);
    if (step === 0) put();
    else if (step === 1) put(piece.map((byte) => byte ^ (1 << random.below(8))));
    else if (step === 2) put(piece, Buffer.from(random.of(odd), "latin1"));
    else if (step === 3) put(...Array.from({ length: 1 + random.below(200) }, () => piece));
    else if (step === 4) put(Buffer.from([random.below(256)]), piece);
    else {
      const other = random.of(seeds);
      put(other.subarray(random.below(other.length + 1)));
    }
    bytes = bytes.subarray(0, largest);
  }
  return bytes;
}
