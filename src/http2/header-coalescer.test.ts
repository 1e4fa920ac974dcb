import { describe, expect, test } from "vitest";
import { HeaderCoalescer } from "./header-coalescer.js";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const ack = frame(4, 1, 0, "");

function frame(type: number, flags: number, stream: number, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** HPACK: one header that is not indexed, with a value of the given length. */
function header(name: string, length: number): Buffer {
  const value = Buffer.alloc(length, "x");
  const prefix = [0x7f];
  let rest = length - 0x7f;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) prefix.push((rest % 0x80) | 0x80);
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([...prefix, rest]),
    value,
  ]);
}

function run(chunks: Iterable<Buffer>, options: { preface?: boolean; limit?: number } = {}): Buffer[] {
  const coalescer = new HeaderCoalescer({ preface: false, ...options });
  const out: Buffer[] = [];
  for (const chunk of chunks) coalescer.push(chunk, (bytes) => out.push(bytes));
  return out;
}

function* inPieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

describe("HeaderCoalescer", () => {
  test("a chunk without anything to join passes as the same buffer", () => {
    const coalescer = new HeaderCoalescer({ preface: true });
    const chunks = [
      Buffer.concat([preface, frame(8, 0, 0, "1234")]),
      Buffer.concat([
        frame(0, 0, 1, "data"),
        frame(1, 4, 3, "headers"),
        frame(0, 0, 1, "begin").subarray(0, 11),
      ]),
      Buffer.from("gin"),
      frame(6, 0, 0, "12345678"),
    ];
    const out: Buffer[] = [];
    for (const chunk of chunks) coalescer.push(chunk, (bytes) => out.push(bytes));
    expect(out).toHaveLength(chunks.length);
    for (const [index, bytes] of out.entries()) expect(bytes).toBe(chunks[index]);
  });

  test.each([1, 2, 5, 9, 10, 64, 100_000])("FLT-75 joins CONTINUATIONs, in chunks of %i bytes", (size) => {
    const block = Buffer.concat(Array.from({ length: 50 }, (_, index) => header(`name-${index}`, 700)));
    const middle = Array.from({ length: 34 }, (_, index) =>
      frame(9, 0, 5, block.subarray(1000 * (index + 1), 1000 * (index + 2))),
    );
    const sent = Buffer.concat([
      preface,
      frame(4, 0, 0, "settings"),
      frame(0, 0, 3, "before"),
      frame(1, 0x01, 5, block.subarray(0, 1000)),
      ...middle,
      frame(9, 4, 5, block.subarray(35_000)),
      ack,
      frame(0, 1, 3, "after"),
    ]);
    const expected = Buffer.concat([
      preface,
      frame(4, 0, 0, "settings"),
      ack,
      frame(0, 0, 3, "before"),
      frame(1, 0x05, 5, block),
      frame(0, 1, 3, "after"),
    ]);
    expect(Buffer.concat(run(inPieces(sent, size), { preface: true })).equals(expected)).toBe(true);
  });

  test("padding goes, priority stays", () => {
    const sent = [frame(1, 0x28, 1, "\x03prio!fragmentpad"), frame(9, 4, 1, "more")];
    expect(Buffer.concat(run([Buffer.concat(sent)]))).toEqual(frame(1, 0x24, 1, "prio!fragmentmore"));
  });

  test("a value that is too long for nghttp2 becomes several headers", () => {
    const block = header("grpc-status-details-bin", 150_000);
    const [head, split] = run([
      Buffer.concat([frame(1, 0, 1, block.subarray(0, 10)), frame(9, 4, 1, block.subarray(10))]),
    ]) as [Buffer, Buffer];
    expect(head.readUIntBE(0, 3)).toBe(split.length);
    expect(
      split
        .toString("latin1")
        .split("grpc-status-details-bin")
        .map((piece) => piece.length),
    ).toEqual([2, 60_000 + 6, 60_000 + 6, 30_000 + 4]);
  });

  test("a frame of another kind inside a block shows the block unfinished", () => {
    const sent = [frame(1, 0, 1, "begin"), frame(0, 0, 1, "data")];
    expect(Buffer.concat(run(sent))).toEqual(Buffer.concat(sent));
  });

  test("a client's GOAWAY names no stream of ours", () => {
    const goaway = (stream: string) => frame(7, 0, 0, `${stream}\0\0\0\0bye`);
    for (const size of [1, 7, 100]) {
      const bytes = Buffer.concat([preface, goaway("\0\0\0\x07")]);
      const out = Buffer.concat(run(inPieces(bytes, size), { preface: true }));
      expect(out).toEqual(Buffer.concat([preface, goaway("\0\0\0\0")]));
    }
    expect(run([goaway("\0\0\0\x07")])).toEqual([goaway("\0\0\0\x07")]);
  });

  test("a block over the limit, and one in endlessly many frames, are refused", () => {
    const begin = frame(1, 0, 1, "begin");
    expect(() => run([begin, frame(9, 0, 1, Buffer.alloc(1000))], { limit: 1000 })).toThrow(
      "the peer sent more than 1000 bytes of headers in one call",
    );
    const coalescer = new HeaderCoalescer({ preface: false });
    const empty = frame(9, 0, 1, "");
    coalescer.push(begin, () => {});
    expect(() => {
      for (let count = 0; count < 10_000; count++) coalescer.push(empty, () => {});
    }).toThrow("headers in one call");
  });

  test("SEC-28 SEC-29 random bytes neither throw anything else nor get lost", () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return seed % below;
    };
    for (let round = 0; round < 3_000; round++) {
      const frames = Array.from({ length: 1 + random(6) }, () => {
        const payload = Buffer.from(Array.from({ length: random(20) }, () => random(256)));
        return frame([0, 1, 4, 7, 9, random(256)][random(6)] as number, random(256), random(3), payload);
      });
      const bytes = Buffer.concat(frames);
      if (random(2) === 0) bytes.writeUInt8(random(256), random(bytes.length));
      const once = Buffer.concat(run([Buffer.from(bytes)]));
      const pieces = Buffer.concat(run(inPieces(bytes, 1 + random(12))));
      expect(pieces.equals(once)).toBe(true);
    }
  });
});
