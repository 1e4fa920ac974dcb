import { expect, test } from "vitest";
import { PacketDecoder } from "./packet-decoder.js";
import { errorPacket, finPacket, packetTypes } from "./packet.js";

const decoder = new PacketDecoder((message) => new RangeError(message));
function read(bytes: Buffer | number[]): PacketDecoder {
  decoder.decode(Buffer.from(bytes));
  return decoder;
}

test("FIN and ERR packets; the text of an error is bounded", () => {
  expect(read(finPacket()).type).toBe(packetTypes.fin);
  const long = read(errorPacket("x".repeat(10_000)));
  expect(long.type).toBe(packetTypes.error);
  expect(long.data).toHaveLength(4096);
});

test("SEC-29 what is no packet is refused, with the error of whoever reads it", () => {
  for (const bytes of [[0x08], [0x22, 5, 1], [0x0b], [0x18, ...Buffer.alloc(11, 0xff)], [0x12, 0xff]])
    expect(() => read(bytes)).toThrow(new RangeError("malformed packet"));
});

test("fields that are not known are passed over", () => {
  expect(read([0x28, 1, 0x18, 0x80, 2, 0x31, 1, 2, 3, 4, 5, 6, 7, 8]).id).toBe(256);
});

test("nothing of a packet is left in the next", () => {
  read([0x08, 4, 0x18, 7, 0x22, 1, 0x61]);
  expect(read([])).toMatchObject({ type: 0, id: 0, data: Buffer.alloc(0), hasStat: false });
});
