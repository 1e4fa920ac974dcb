import { protocolError } from "./sync-error.js";

/** A packet from the builder, as far as a sender cares: never with a stat. */
export interface RequestPacket {
  type: number;
  id: number;
  data: Buffer | undefined;
}

/** Decodes an fsutil Packet. @throws SyncError SESSION_SYNC_PROTOCOL when the bytes are none. */
export function readRequestPacket(message: Buffer): RequestPacket {
  const packet: RequestPacket = { type: 0, id: 0, data: undefined };
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 63; scale *= 0x80) {
      const byte = message[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw protocolError("malformed packet");
  };
  const bytes = (length: number): Buffer => {
    if (length > message.length - at) throw protocolError("malformed packet");
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = varint();
    const wire = tag % 8;
    if (tag === 0x08) packet.type = varint();
    else if (tag === 0x18) packet.id = varint();
    else if (tag === 0x22) packet.data = bytes(varint());
    else if (wire === 0) varint();
    else if (wire === 1) bytes(8);
    else if (wire === 2) bytes(varint());
    else if (wire === 5) bytes(4);
    else throw protocolError("malformed packet");
  }
  return packet;
}
