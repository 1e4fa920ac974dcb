import { errorCodes } from "./codes.js";
import { decodeHuffman } from "./huffman.js";
import { ProtocolViolation } from "./protocol-violation.js";
import { staticEntries, staticTable } from "./static-table.js";

/** Largest dynamic table that the peer may use, in bytes: HTTP/2's default, which our settings leave. */
const largestTable = 4096;
/** Bytes that an entry counts in addition to its name and value (RFC 7541, 4.1). */
export const entryOverhead = 32;

/** Decodes the header blocks of one direction of a connection (HPACK, RFC 7541), in the order they come. */
export class HeaderDecoder {
  /** Names and values in turn, the oldest first. */
  #entries: string[] = [];
  #size = 0;
  #capacity = largestTable;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /**
   * Hands every field of the block to `take`. Texts are bytes: a character for each, as Node's "latin1".
   *
   * @throws ProtocolViolation (COMPRESSION_ERROR); whatever `take` throws, after which the decoder is of no use
   */
  decode(block: Buffer, take: (name: string, value: string) => void): void {
    this.#block = block;
    this.#at = 0;
    while (this.#at < block.length) {
      const byte = block.readUInt8(this.#at);
      if (byte & 0x80) this.#takeIndexed(take);
      else if (byte & 0x40) this.#takeLiteral(6, true, take);
      else if (byte & 0x20) this.#resize(this.#readInteger(5));
      else this.#takeLiteral(4, false, take);
    }
    this.#block = Buffer.alloc(0);
  }

  #takeIndexed(take: (name: string, value: string) => void): void {
    const index = this.#readInteger(7);
    take(this.#text(index, 0), this.#text(index, 1));
  }

  #takeLiteral(bits: number, isKept: boolean, take: (name: string, value: string) => void): void {
    const index = this.#readInteger(bits);
    const name = index === 0 ? this.#readText() : this.#text(index, 0);
    const value = this.#readText();
    if (isKept) this.#add(name, value);
    take(name, value);
  }

  /** The name (0) or value (1) of an entry of the tables. */
  #text(index: number, part: 0 | 1): string {
    if (index >= 1 && index <= staticEntries) return staticTable[(index - 1) * 2 + part] as string;
    const text = this.#entries[this.#entries.length - (index - staticEntries) * 2 + part];
    if (index === 0 || text === undefined) throw malformed("an index that there is not");
    return text;
  }

  #add(name: string, value: string): void {
    this.#size += name.length + value.length + entryOverhead;
    this.#entries.push(name, value);
    this.#evict();
  }

  #resize(capacity: number): void {
    if (capacity > largestTable) throw malformed("a table that is too large");
    this.#capacity = capacity;
    this.#evict();
  }

  #evict(): void {
    let evicted = 0;
    while (this.#size > this.#capacity) {
      const [name = "", value = ""] = this.#entries.slice(evicted, evicted + 2);
      this.#size -= name.length + value.length + entryOverhead;
      evicted += 2;
    }
    if (evicted > 0) this.#entries.splice(0, evicted);
  }

  #readText(): string {
    const isHuffman = this.#at < this.#block.length && (this.#block.readUInt8(this.#at) & 0x80) !== 0;
    const length = this.#readInteger(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw malformed("a text that is cut off");
    const start = this.#at;
    this.#at = end;
    if (!isHuffman) return this.#block.toString("latin1", start, end);
    const text = decodeHuffman(this.#block.subarray(start, end));
    if (!text) throw malformed("a text that is no Huffman code");
    return text.toString("latin1");
  }

  /** An integer with a prefix of `bits` bits (RFC 7541, 5.1). */
  #readInteger(bits: number): number {
    const mask = (1 << bits) - 1;
    let value = this.#nextByte() & mask;
    if (value < mask) return value;
    for (let scale = 1; scale <= 2 ** 21; scale *= 0x80) {
      const byte = this.#nextByte();
      value += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) return value;
    }
    throw malformed("a number that is too large");
  }

  #nextByte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw malformed("a number that is cut off");
    return byte;
  }
}

function malformed(what: string): ProtocolViolation {
  return new ProtocolViolation(
    `headers cannot be decompressed: they have ${what}`,
    errorCodes.COMPRESSION_ERROR,
  );
}
