import { trimBoth } from "../core/index.js";
import { isZstd } from "./zstd-context.js";

/** Magic numbers of bzip2, gzip and xz. */
const compressed = [
  Buffer.from("425a68", "hex"),
  Buffer.from("1f8b08", "hex"),
  Buffer.from("fd377a585a00", "hex"),
];

/** Whether what begins so is an archive, compressed or not (BK util/archiveutil). */
export function isArchive(head: Buffer): boolean {
  if (isZstd(head) || compressed.some((magic) => head.subarray(0, magic.length).equals(magic))) return true;
  return isTarHeader(head.subarray(0, 512));
}

/** True when the checksum of a 512-byte tar header is right: the sum of its bytes, with the checksum's own as spaces. */
function isTarHeader(header: Buffer): boolean {
  if (header.length < 512) return false;
  const stated = Number.parseInt(trimBoth(header.toString("latin1", 148, 156), "\0 "), 8);
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  return stated === sum;
}
