import { describe, expect, test } from "vitest";
import { frameHead, frameMessage, varintLength, writeVarint } from "./framing.js";
import { grpcCodes } from "./grpc-error.js";
import { BytesFieldDecoder, MessageDecoder } from "./message-decoder.js";

type Decoder = MessageDecoder | BytesFieldDecoder;

/** The 5 bytes before a message (gRPC over HTTP/2, Length-Prefixed-Message). */
function messagePrefix(length: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

function decode(decoder: Decoder, bytes: Buffer, size = bytes.length): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    decoder.push(bytes.subarray(at, at + size), (message) => out.push(message));
  }
  decoder.end();
  return out;
}

const sizes = [1, 2, 3, 7, 64, 1_000_000];

describe("MessageDecoder", () => {
  const messages = ["", "a", "x".repeat(300), "", "last"].map((text) => Buffer.from(text));
  const bytes = Buffer.concat(messages.map(frameMessage));

  test.each(sizes)("takes messages out of chunks of %i bytes", (size) => {
    expect(decode(new MessageDecoder(), bytes, size)).toEqual(messages);
  });

  test("a message within a chunk is a view of it", () => {
    const [, message] = decode(new MessageDecoder(), bytes);
    expect(message?.buffer).toBe(bytes.buffer);
  });

  test("SEC-24 a length over the limit is refused at the prefix", () => {
    const refusal = { grpcCode: grpcCodes.resourceExhausted };
    expect(() => decode(new MessageDecoder(), messagePrefix(0xffff_ffff))).toThrow(
      expect.objectContaining(refusal),
    );
    expect(() => decode(new MessageDecoder({ maxBytes: 3 }), frameMessage(Buffer.alloc(4)))).toThrow(
      "a message of 4 bytes is over the limit of 3",
    );
    expect(() => decode(new BytesFieldDecoder(), messagePrefix(16 * 1024 * 1024 + 1))).toThrow(
      expect.objectContaining(refusal),
    );
  });

  test("SEC-25 compressed messages are refused", () => {
    const compressed = Buffer.concat([Buffer.from([1]), messagePrefix(0).subarray(1)]);
    for (const decoder of [new MessageDecoder(), new BytesFieldDecoder()]) {
      expect(() => decode(decoder, compressed)).toThrow(
        expect.objectContaining({ grpcCode: grpcCodes.unimplemented }),
      );
    }
    expect(() => decode(new MessageDecoder(), Buffer.from([2, 0, 0, 0, 0]))).toThrow("the flags 2");
  });

  test("MEM-6 a message in chunks of one byte are copied once, into one allocation", () => {
    const length = 2 * 1024 * 1024;
    const decoder = new MessageDecoder();
    const one = Buffer.from([7]);
    const out: Buffer[] = [];
    let copied = 0;
    const copy = Buffer.prototype.copy;
    one.copy = function counted(...given: Parameters<Buffer["copy"]>) {
      copied++;
      return copy.apply(this, given);
    };
    decoder.push(messagePrefix(length), () => {});
    const emit = (message: Buffer) => void out.push(message);
    for (let index = 0; index < length; index++) decoder.push(one, emit);
    expect(copied).toBe(length);
    expect(out.map((message) => message.length)).toEqual([length]);
    expect(out[0]?.at(-1)).toBe(7);
  });

  test("a stream that ends inside a message is an error", () => {
    expect(() => decode(new MessageDecoder(), bytes.subarray(0, -1))).toThrow("ends inside a message");
    expect(() => decode(new MessageDecoder(), bytes.subarray(0, 3))).toThrow("ends inside a message");
  });
});

describe("BytesFieldDecoder", () => {
  const payloads = ["", "a", "x".repeat(300), "y".repeat(70_000)].map((text) => Buffer.from(text));

  test.each(sizes)("takes field 1 out of chunks of %i bytes", (size) => {
    const bytes = Buffer.concat(payloads.flatMap((payload) => [frameHead(payload.length), payload]));
    const got = Buffer.concat(decode(new BytesFieldDecoder(), bytes, size));
    expect(got.equals(Buffer.concat(payloads))).toBe(true);
  });

  test.each(sizes)("skips other fields of every kind, in chunks of %i bytes", (size) => {
    const before = Buffer.from([
      0x10, 0xff, 0xff, 0x01, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2a, 2, 9, 9,
    ]);
    const message = Buffer.concat([before, Buffer.from([0x0a, 3]), Buffer.from("abc"), before]);
    const bytes = Buffer.concat([
      frameMessage(message),
      frameMessage(Buffer.alloc(0)),
      frameMessage(message),
    ]);
    expect(Buffer.concat(decode(new BytesFieldDecoder(), bytes, size)).toString()).toBe("abcabc");
  });

  test("gives views of the chunks", () => {
    const payload = Buffer.alloc(100, 1);
    const bytes = Buffer.concat([frameHead(payload.length), payload]);
    const [view] = decode(new BytesFieldDecoder(), bytes);
    expect(view?.buffer).toBe(bytes.buffer);
  });

  test.each([
    ["a number where the bytes belong", [0x08, 1]],
    ["field 0", [0x02, 0]],
    ["a group", [0x1b]],
    ["a field longer than the message", [0x0a, 5, 1]],
    ["a number without an end", [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["a message that ends in a tag", [0x8a]],
    ["a message that ends before the length", [0x0a]],
  ])("refuses %s", (_, message) => {
    expect(() => decode(new BytesFieldDecoder(), frameMessage(Buffer.from(message)))).toThrow(
      "malformed gRPC data",
    );
  });
});

describe("frameHead", () => {
  test("makes a message together with the payload", () => {
    const payload = Buffer.from("payload");
    const before = Buffer.from([0x08, 2]);
    const message = Buffer.concat([frameHead(payload.length, { field: 3, before }), payload]);
    expect(message).toEqual(
      frameMessage(Buffer.concat([before, Buffer.from([0x1a, payload.length]), payload])),
    );
  });

  test.each([0, 1, 127, 128, 16_383, 16_384, 2 ** 32, 2 ** 53 - 1])("varint of %i", (value) => {
    const bytes = Buffer.alloc(10);
    const end = writeVarint(bytes, 0, value);
    expect(end).toBe(varintLength(value));
    let back = 0n;
    for (let at = end - 1; at >= 0; at--) back = (back << 7n) | BigInt((bytes[at] as number) & 0x7f);
    expect(back).toBe(BigInt(value));
  });
});
