import { varintLength, writeVarint } from "../../http2/index.js";

/** Packet types of the fsutil protocol (fsutil types/wire.proto). */
export const packetTypes = { stat: 0, request: 1, data: 2, fin: 3, error: 4 } as const;

/** Bytes of a frame before its packet. */
export const prefixLength = 5;

/** Writes what frames a packet of `length` bytes: not compressed, and the length. */
export function writePrefix(target: Buffer, at: number, length: number): void {
  target[at] = 0;
  target.writeUInt32BE(length, at + 1);
}

/** How many bytes {@link writeHead} writes. */
export function headLength(id: number): number {
  return 2 + 1 + varintLength(id);
}

/** Writes the type and the file's number that a packet about a file begins with; gives the offset behind them. */
export function writeHead(target: Buffer, at: number, type: number, id: number): number {
  target[at] = 0x08;
  target[at + 1] = type;
  target[at + 2] = 0x18;
  return writeVarint(target, at + 3, id);
}

/** A FIN packet, not framed. */
export function finPacket(): Buffer {
  return Buffer.from([0x08, packetTypes.fin]);
}

/** An ERR packet that tells the other side why, not framed. The text is cut at 4 KiB. */
export function errorPacket(message: string): Buffer {
  const text = Buffer.from(message).subarray(0, 4096);
  const head = Buffer.alloc(8);
  head.set([0x08, packetTypes.error, 0x22]);
  return Buffer.concat([head.subarray(0, writeVarint(head, 3, text.length)), text]);
}
