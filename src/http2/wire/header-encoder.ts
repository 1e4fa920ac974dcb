import { staticEntries, staticTable } from "./static-table.js";

/** Names and values in turn, lower-case names; a character is a byte. */
export type HeaderList = readonly string[];

let entries: Map<string, number> | undefined;
let names: Map<string, number> | undefined;

/**
 * A header block (HPACK, RFC 7541). It refers to the static table only and changes no table of the peer's, so that blocks
 * may be made in any order; nothing is in Huffman code, which takes longer than it saves on a socket. `tellsTable` says first
 * that the dynamic table is empty.
 */
export function encodeHeaders(list: HeaderList, tellsTable = false): Buffer {
  if (!entries || !names) indexStaticTable((entries = new Map()), (names = new Map()));
  const parts = tellsTable ? [integer(0, 5, 0x20)] : [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const name = list[index] as string;
    const value = list[index + 1] as string;
    const entry = entries.get(`${name}\n${value}`);
    if (entry !== undefined) {
      parts.push(integer(entry, 7, 0x80));
      continue;
    }
    const known = names.get(name);
    if (known !== undefined) parts.push(integer(known, 4, 0));
    else parts.push(integer(0, 4, 0), ...text(name));
    parts.push(...text(value));
  }
  return Buffer.concat(parts);
}

function indexStaticTable(entries: Map<string, number>, names: Map<string, number>): void {
  for (let index = staticEntries; index >= 1; index--) {
    const name = staticTable[(index - 1) * 2] as string;
    const value = staticTable[index * 2 - 1] as string;
    if (value !== "") entries.set(`${name}\n${value}`, index);
    names.set(name, index);
  }
}

function text(value: string): Buffer[] {
  const bytes = Buffer.from(value, "latin1");
  return [integer(bytes.length, 7, 0), bytes];
}

/** An integer with a prefix of `bits` bits behind `flags` (RFC 7541, 5.1). */
function integer(value: number, bits: number, flags: number): Buffer {
  const mask = (1 << bits) - 1;
  if (value < mask) return Buffer.from([flags | value]);
  const bytes = [flags | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
