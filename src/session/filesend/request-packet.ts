import { writeVarint } from "../../http2/index.js";
import { packetTypes } from "../fsutil/packet.js";

/** Bytes of one framed REQ packet at most: 5 of frame, 2 of type, 6 of id. */
export const requestLength = 13;

/** Writes a framed REQ packet for `id` at `offset`; returns the offset behind it. */
export function writeRequest(target: Buffer, offset: number, id: number): number {
  let at = offset + 5;
  target[at++] = 0x08;
  target[at++] = packetTypes.request;
  target[at++] = 0x18;
  at = writeVarint(target, at, id);
  target[offset] = 0;
  target.writeUInt32BE(at - offset - 5, offset + 1);
  return at;
}
