/** Bytes of a tar block; headers are one, data is filled up to whole ones. */
export const tarBlock = 512;

/** What a tar header announces. */
export interface TarEntry {
  type: "file" | "directory" | "pax";
  /** Without a trailing slash. */
  name: string;
  /** Bytes. */
  size: number;
}

const types: Readonly<Record<string, TarEntry["type"]>> = {
  "0": "file",
  "\0": "file",
  "5": "directory",
  x: "pax",
};

/**
 * Reads a header of the POSIX format (ustar) that any reader would read in the same way; `end` for a block of zeros, undefined for
 * anything else: another format, links, devices, names that are not ASCII, a wrong checksum.
 */
export function readTarHeader(block: Buffer): TarEntry | "end" | undefined {
  if (block.every((byte) => byte === 0)) return "end";
  const text = (from: number, length: number) => {
    const field = block.subarray(from, from + length);
    const end = field.indexOf(0);
    const value = field.subarray(0, end < 0 ? length : end);
    return value.every((byte) => byte >= 0x20 && byte < 0x7f) ? value.toString("latin1") : undefined;
  };
  const magic = block.toString("latin1", 257, 265);
  // GNU's has other things where the prefix would be, and is as good while it has none.
  const isGnu = magic === "ustar  \0";
  if (!isGnu && magic !== "ustar\x0000") return undefined;
  const name = text(0, 100);
  const prefix = text(345, 155);
  if (name === undefined || prefix === undefined || (isGnu && prefix !== "")) return undefined;
  const type = types[block.toString("latin1", 156, 157)];
  const size = numberOf(block.subarray(124, 136));
  if (!type || size === undefined || numberOf(block.subarray(148, 156)) !== checksum(block)) return undefined;
  const path = prefix === "" ? name : `${prefix}/${name}`;
  return { type, name: type === "directory" ? path.replace(/\/$/, "") : path, size };
}

/** Octal digits, or a number in base 256 when the first bit is set (GNU). */
function numberOf(field: Buffer): number | undefined {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    if (field[0] !== 0x80) return undefined;
    const value = BigInt(`0x${field.toString("hex", 1)}`);
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
  }
  const match = /^ *([0-7]+)[ \0]*$/.exec(field.toString("latin1"));
  return match ? Number.parseInt(match[1] ?? "", 8) : undefined;
}

/** The sum of all bytes, with blanks for the sum's own field. */
function checksum(block: Buffer): number {
  let sum = 0;
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  return sum;
}
