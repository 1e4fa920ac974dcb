import { packetTypes, prefixLength, writeHead, writePrefix } from "../fsutil/packet.js";

/** Bytes of one framed REQ packet at most: 5 of frame, 2 of type, 6 of id. */
export const requestLength = 13;

/** Writes a framed REQ packet for `id` at `offset`; returns the offset behind it. */
export function writeRequest(target: Buffer, offset: number, id: number): number {
  const start = offset + prefixLength;
  const end = writeHead(target, start, packetTypes.request, id);
  writePrefix(target, offset, end - start);
  return end;
}
