import { decodeHuffman } from "./huffman.js";

/** nghttp2 ends the connection at a header name or value that takes more bytes than this (NGHTTP2_HD_MAX_NV). */
const longest = 65_536;
const pieceLength = 60_000;

/**
 * Cuts the values that are too long for nghttp2 out of a header block (HPACK, RFC 7541) and puts them back as several
 * headers of the same name, one for each 60 000 bytes. The reader of the headers has to join those.
 *
 * buildkitd needs it: the details of a failed solve contain the Dockerfile, and travel as one header. A block that is
 * malformed, or has a long value that the sender entered into the dynamic table (grpc-go does not), stays as it is.
 */
export function splitLongValues(block: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let kept = 0;
  let at = 0;
  while (at < block.length) {
    const start = at;
    const byte = block.readUInt8(at);
    if (byte & 0x80 || (byte & 0xe0) === 0x20) {
      // An entry of the tables, or a change of the dynamic table's size: no strings.
      const integer = readInteger(block, at, byte & 0x80 ? 7 : 5);
      if (!integer) return block;
      at = integer.next;
      continue;
    }
    const indexed = (byte & 0x40) !== 0;
    const index = readInteger(block, at, indexed ? 6 : 4);
    if (!index) return block;
    at = index.next;
    if (index.value === 0) {
      const name = readString(block, at);
      if (!name) return block;
      at = name.next;
    }
    const nameEnd = at;
    const value = readString(block, at);
    if (!value) return block;
    at = value.next;
    if (value.bytes.length <= longest) continue;
    const plain = value.huffman ? decodeHuffman(value.bytes) : value.bytes;
    if (indexed || !plain) return block;
    pieces.push(block.subarray(kept, start));
    for (let from = 0; from < plain.length; from += pieceLength) {
      const piece = plain.subarray(from, from + pieceLength);
      pieces.push(block.subarray(start, nameEnd), integer7(piece.length), piece);
    }
    kept = at;
  }
  return pieces.length === 0 ? block : Buffer.concat([...pieces, block.subarray(kept)]);
}

function readString(block: Buffer, at: number) {
  if (at >= block.length) return undefined;
  const length = readInteger(block, at, 7);
  if (!length || length.next + length.value > block.length) return undefined;
  const next = length.next + length.value;
  return { huffman: (block.readUInt8(at) & 0x80) !== 0, bytes: block.subarray(length.next, next), next };
}

/** An integer with a prefix of `bits` bits (RFC 7541, 5.1). */
function readInteger(block: Buffer, at: number, bits: number): { value: number; next: number } | undefined {
  const mask = (1 << bits) - 1;
  let value = block.readUInt8(at) & mask;
  let next = at + 1;
  if (value < mask) return { value, next };
  for (let scale = 1; scale <= 2 ** 28 && next < block.length; scale *= 0x80) {
    const byte = block.readUInt8(next++);
    value += (byte & 0x7f) * scale;
    if ((byte & 0x80) === 0) return { value, next };
  }
  return undefined;
}

/** The length of a string that is not in Huffman code, with its prefix of 7 bits. */
function integer7(value: number): Buffer {
  if (value < 0x7f) return Buffer.from([value]);
  const bytes = [0x7f];
  let rest = value - 0x7f;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
