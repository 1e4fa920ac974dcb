import { writeVarint } from "../../http2/index.js";

/** Packet types of the fsutil protocol (fsutil types/wire.proto). */
export const packetTypes = { stat: 0, request: 1, data: 2, fin: 3, error: 4 } as const;

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
