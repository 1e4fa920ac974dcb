import { describe, expect, test } from "vitest";
import { decodeHuffman } from "./huffman.js";
import { splitLongValues } from "./long-values.js";

function string(bytes: Buffer, huffman = false): Buffer {
  const flag = huffman ? 0x80 : 0;
  if (bytes.length < 0x7f) return Buffer.concat([Buffer.from([flag | bytes.length]), bytes]);
  const length = [flag | 0x7f];
  let rest = bytes.length - 0x7f;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) length.push((rest % 0x80) | 0x80);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

const short = Buffer.concat([
  Buffer.from([0x82, 0x3f, 0xe1, 0x1f, 0x40, 1]),
  Buffer.from("a"),
  string(Buffer.from("b")),
]);

describe("splitLongValues", () => {
  test("leaves a block without long values as it is", () => {
    const block = Buffer.concat([short, Buffer.from([0x0f, 0x11]), string(Buffer.alloc(65_536))]);
    expect(splitLongValues(block)).toBe(block);
  });

  test("repeats the name, also one from the tables, for each piece", () => {
    const name = Buffer.from([0x0f, 0x11]);
    const block = Buffer.concat([short, name, string(Buffer.alloc(130_000, "v")), short]);
    const piece = (length: number) => Buffer.concat([name, string(Buffer.alloc(length, "v"))]);
    const expected = Buffer.concat([short, piece(60_000), piece(60_000), piece(10_000), short]);
    expect(splitLongValues(block).equals(expected)).toBe(true);
  });

  test("decodes what is in Huffman code", () => {
    // "a" is 00011, so that eight of them are five bytes.
    const encoded = Buffer.alloc(70_000, Buffer.from("18c6318c63", "hex"));
    const block = Buffer.concat([Buffer.from([0x10, 1]), Buffer.from("n"), string(encoded, true)]);
    const piece = (length: number) =>
      Buffer.concat([Buffer.from([0x10, 1]), Buffer.from("n"), string(Buffer.alloc(length, "a"))]);
    expect(splitLongValues(block).equals(Buffer.concat([piece(60_000), piece(52_000)]))).toBe(true);
  });

  test.each([
    ["cut off", Buffer.from([0x00])],
    ["with a string beyond its end", Buffer.from([0x00, 0x05, 0x61])],
    ["with an endless integer", Buffer.alloc(20, 0xff)],
    ["with a long value for the table", Buffer.concat([Buffer.from([0x41]), string(Buffer.alloc(70_000))])],
    [
      "with broken Huffman code",
      Buffer.concat([Buffer.from([0x01]), string(Buffer.alloc(70_000, 0xff), true)]),
    ],
  ])("leaves a block alone that is %s", (_, block) => {
    expect(splitLongValues(block)).toBe(block);
  });
});

describe("decodeHuffman", () => {
  // RFC 7541, C.4 and C.6.
  test.each([
    ["f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"],
    ["a8eb10649cbf", "no-cache"],
    ["d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"],
    [
      "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
      "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
    ["", ""],
  ])("%s", (hex, text) => {
    expect(decodeHuffman(Buffer.from(hex, "hex"))?.toString()).toBe(text);
  });

  test.each(["ffffffff", "f1e3c2e5f23a6ba0ab90f4ffff", "00"])("refuses %s", (hex) => {
    expect(decodeHuffman(Buffer.from(hex, "hex"))).toBeUndefined();
  });
});
