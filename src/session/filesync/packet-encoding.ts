import { type WalkEntry, deviceNumbers, goMode } from "../../fs/index.js";
import { varintLength, writeVarint } from "../../http2/index.js";
import { headLength, packetTypes, prefixLength, writeHead, writePrefix } from "../fsutil/packet.js";

/** Room that any STAT packet fits in with its frame, beyond the bytes of path and link name. */
export const statOverhead = 96;
/** Room for the head of a DATA packet, its frame included. */
export const dataHeadRoom = 22;
/** Room for the DATA packet that ends a file, its frame included. */
export const dataEndRoom = 13;

/**
 * Writes a framed STAT packet at `at` and gives the offset behind it. uid and gid are left out, which makes them 0
 * (SEC-48); so are xattrs, which Node cannot read (FLT-71).
 */
export function writeStat(target: Buffer, at: number, entry: WalkEntry): number {
  // Packet: tag 2, length, Stat. One byte is kept for the length, which is enough but for long paths.
  const start = at + prefixLength + 2;
  let end = writeText(target, start, 0x0a, entry.path);
  target[end++] = 0x10;
  end = writeVarint(target, end, entry.mode);
  if (entry.size !== 0n) {
    target[end++] = 0x28;
    end = writeInt64(target, end, entry.size);
  }
  if (entry.stat.mtimeNs !== 0n) {
    target[end++] = 0x30;
    end = writeInt64(target, end, entry.stat.mtimeNs);
  }
  if (entry.linkname !== "") end = writeText(target, end, 0x3a, entry.linkname);
  if ((entry.mode & goMode.device) !== 0) {
    const { major, minor } = deviceNumbers(entry.stat.rdev);
    target[end++] = 0x40;
    end = writeInt64(target, end, major);
    target[end++] = 0x48;
    end = writeInt64(target, end, minor);
  }
  const length = end - start;
  if (length >= 0x80) {
    const more = varintLength(length) - 1;
    target.copyWithin(start + more, start, end);
    end += more;
  }
  target[at + prefixLength] = 0x12;
  writeVarint(target, at + prefixLength + 1, length);
  writePrefix(target, at, end - at - prefixLength);
  return end;
}

/** Writes the STAT packet without a stat that ends the listing: an empty message. */
export function writeEndOfListing(target: Buffer, at: number): number {
  writePrefix(target, at, 0);
  return at + prefixLength;
}

/** How many bytes {@link writeDataHead} writes. */
export function dataHeadLength(id: number, length: number): number {
  return prefixLength + headLength(id) + 1 + varintLength(length);
}

/** Writes the head of a framed DATA packet whose `length` bytes follow; gives the offset behind the head. */
export function writeDataHead(target: Buffer, at: number, id: number, length: number): number {
  const end = writeHead(target, at + prefixLength, packetTypes.data, id);
  target[end] = 0x22;
  const payload = writeVarint(target, end + 1, length);
  writePrefix(target, at, payload - at - prefixLength + length);
  return payload;
}

/** Writes the framed DATA packet without data that ends a file. */
export function writeDataEnd(target: Buffer, at: number, id: number): number {
  const end = writeHead(target, at + prefixLength, packetTypes.data, id);
  writePrefix(target, at, end - at - prefixLength);
  return end;
}

function writeText(target: Buffer, at: number, tag: number, bytes: string): number {
  target[at] = tag;
  const start = writeVarint(target, at + 1, bytes.length);
  return start + target.write(bytes, start, "latin1");
}

const cell = new BigInt64Array(1);
const halves = new Uint32Array(cell.buffer);
const [low, high] = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? [0, 1] : [1, 0];

/** An int64 as protobuf has it: two's complement, so that negative numbers take ten bytes. */
function writeInt64(target: Buffer, at: number, value: bigint): number {
  cell[0] = value;
  let lower = halves[low] as number;
  let upper = halves[high] as number;
  let end = at;
  while (upper !== 0) {
    target[end++] = (lower & 0x7f) | 0x80;
    lower = ((lower >>> 7) | (upper << 25)) >>> 0;
    upper >>>= 7;
  }
  while (lower > 0x7f) {
    target[end++] = (lower & 0x7f) | 0x80;
    lower >>>= 7;
  }
  target[end++] = lower;
  return end;
}
