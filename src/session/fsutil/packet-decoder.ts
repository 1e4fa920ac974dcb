const noBytes = Buffer.alloc(0);

/**
 * Decoder of fsutil packets and the stats in them (fsutil types/wire.proto, stat.proto), both ways. One object is used again for
 * every packet, since a directory export carries three packets a file: fields hold until the next call. Paths and link
 * names stay bytes; `data`, `path` and `linkname` are views into the message.
 */
export class PacketDecoder {
  type = 0;
  id = 0;
  data: Buffer = noBytes;
  /** False in a STAT packet that ends the listing. */
  hasStat = false;
  path: Buffer = noBytes;
  linkname: Buffer = noBytes;
  /** Go os.FileMode bits. */
  mode = 0;
  /** Bytes; negative when the daemon said so. */
  size = 0;
  /** Microseconds since the epoch, rounded down: what Node can set. */
  mtime = 0;

  readonly #malformed: (message: string) => Error;
  #buffer: Buffer = noBytes;
  #at = 0;
  #low = 0;
  #high = 0;

  /** @param malformed makes the error for bytes that are no packet */
  constructor(malformed: (message: string) => Error) {
    this.#malformed = malformed;
  }

  /** @throws what the decoder was given for bytes that are no packet */
  decode(message: Buffer): void {
    this.type = 0;
    this.id = 0;
    this.data = noBytes;
    this.hasStat = false;
    this.#buffer = message;
    this.#at = 0;
    const end = message.length;
    while (this.#at < end) {
      const tag = this.#varint(end);
      if (tag === 0x08) this.type = this.#varint(end);
      else if (tag === 0x18) this.id = this.#varint(end);
      else if (tag === 0x22) this.data = this.#bytes(end);
      else if (tag === 0x12) {
        const length = this.#varint(end);
        if (length > end - this.#at) throw this.#malformed("malformed packet");
        this.#stat(this.#at + length);
      } else this.#skip(tag, end);
    }
  }

  #stat(end: number): void {
    this.hasStat = true;
    this.path = noBytes;
    this.linkname = noBytes;
    this.mode = 0;
    this.size = 0;
    this.mtime = 0;
    while (this.#at < end) {
      const tag = this.#varint(end);
      if (tag === 0x0a) this.path = this.#bytes(end);
      else if (tag === 0x10) {
        this.#varint(end);
        this.mode = this.#low;
      } else if (tag === 0x28) {
        this.#varint(end);
        this.size = (this.#high | 0) * 0x1_0000_0000 + this.#low;
      } else if (tag === 0x30) {
        this.#varint(end);
        this.mtime = microseconds(this.#high | 0, this.#low);
      } else if (tag === 0x3a) this.linkname = this.#bytes(end);
      else this.#skip(tag, end);
    }
  }

  /** Leaves the 64 bits in #high and #low (both unsigned) and returns them as a number, exact below 2^53. */
  #varint(end: number): number {
    const buffer = this.#buffer;
    let byte = this.#at < end ? (buffer[this.#at++] as number) : 0x100;
    if (byte < 0x80) {
      this.#high = 0;
      this.#low = byte;
      return byte;
    }
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (byte === 0x100 || shift > 63) throw this.#malformed("malformed packet");
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) break;
      byte = this.#at < end ? (buffer[this.#at++] as number) : 0x100;
    }
    this.#low = low >>> 0;
    this.#high = high >>> 0;
    return this.#high * 0x1_0000_0000 + this.#low;
  }

  #bytes(end: number): Buffer {
    const length = this.#varint(end);
    const start = this.#at;
    if (length > end - start) throw this.#malformed("malformed packet");
    this.#at = start + length;
    return this.#buffer.subarray(start, this.#at);
  }

  #skip(tag: number, end: number): void {
    const wire = tag & 7;
    if (tag >>> 3 === 0) throw this.#malformed("malformed packet");
    if (wire === 0) this.#varint(end);
    else if (wire === 2) this.#bytes(end);
    else if (wire === 1) this.#at += 8;
    else if (wire === 5) this.#at += 4;
    else throw this.#malformed("malformed packet");
    if (this.#at > end) throw this.#malformed("malformed packet");
  }
}

/** floor(ns / 1000) of a 64-bit count given in halves; every step stays below 2^53 (2^32 = 4294967 * 1000 + 296). */
function microseconds(high: number, low: number): number {
  return high * 4_294_967 + Math.floor((high * 296 + low) / 1000);
}
