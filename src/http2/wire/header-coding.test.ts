import { describe, expect, test } from "vitest";
import { HeaderDecoder } from "./header-decoder.js";
import { encodeHeaders } from "./header-encoder.js";
import { decodeHuffman } from "./huffman.js";
import { ProtocolViolation } from "./protocol-violation.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

function decode(decoder: HeaderDecoder, block: Buffer): string[] {
  const list: string[] = [];
  decoder.decode(block, (name, value) => void list.push(name, value));
  return list;
}

const requests = [
  [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"],
  [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"].concat([
    "cache-control",
    "no-cache",
  ]),
  [":method", "GET", ":scheme", "https", ":path", "/index.html", ":authority", "www.example.com"].concat([
    "custom-key",
    "custom-value",
  ]),
];

describe("header blocks", () => {
  // RFC 7541, C.3 and C.4: three requests of one connection, which fill the dynamic table.
  test.each([
    [
      "plain",
      [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      ],
    ],
    [
      "in Huffman code",
      [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ],
    ],
  ])("are decoded, %s", (_, blocks) => {
    const decoder = new HeaderDecoder();
    expect(blocks.map((block) => decode(decoder, hex(block)))).toEqual(requests);
  });

  test("entries are dropped when the table is full, or made smaller", () => {
    const decoder = new HeaderDecoder();
    const add = (value: string) =>
      decode(
        decoder,
        Buffer.concat([hex("40 01 61 7f"), Buffer.of(value.length - 127 + 128, 0x00), Buffer.from(value)]),
      );
    // 32 + 1 + 200 bytes each: 17 fit into 4096.
    for (let at = 0; at < 20; at++) add(String(at).padEnd(200, "x"));
    expect(decode(decoder, hex("be"))[1]?.trim().startsWith("19")).toBe(true);
    expect(decode(decoder, Buffer.of(0x80 | (61 + 17)))[1]?.startsWith("3x")).toBe(true);
    expect(() => decode(decoder, Buffer.of(0x80 | (61 + 18)))).toThrow(ProtocolViolation);
    // A table of no bytes, and of all again.
    expect(decode(decoder, hex("20 3f e1 1f"))).toEqual([]);
    expect(() => decode(decoder, hex("be"))).toThrow("an index that there is not");
  });

  test.each([
    ["80", "an index that there is not"],
    ["c0", "an index that there is not"],
    ["ff ff ff ff ff ff ff ff ff", "a number that is too large"],
    ["ff", "a number that is cut off"],
    ["40 05 61", "a text that is cut off"],
    ["40 81 00 00", "a text that is no Huffman code"],
    ["3f e2 1f", "a table that is too large"],
  ])("%s is refused", (block, problem) => {
    expect(() => decode(new HeaderDecoder(), hex(block))).toThrow(problem);
  });

  test("what is encoded is decoded again", () => {
    const list = [":method", "POST", ":path", "/a.B/C", "content-type", "application/grpc", "te", "trailers"];
    const values = [
      "",
      "x",
      "ÿ\u0080",
      "y".repeat(126),
      "y".repeat(127),
      "y".repeat(300),
      "z".repeat(70_000),
    ];
    for (const [index, value] of values.entries()) list.push(`x-${index}`, value);
    expect(decode(new HeaderDecoder(), encodeHeaders(list))).toEqual(list);
  });
});

describe("decodeHuffman", () => {
  // RFC 7541, C.4 and C.6.
  test.each([
    ["f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"],
    ["6402", "302"],
    ["aec3771a4b", "private"],
    ["9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"],
    ["d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["", ""],
  ])("%s is %s", (code, text) => {
    expect(String(decodeHuffman(hex(code)))).toBe(text);
  });

  test.each(["00", "ffffffff", "ff", "1f ff", "f1e3c2e5f23a6ba0ab90f400"])("%s is none", (code) => {
    expect(decodeHuffman(hex(code))).toBeUndefined();
  });
});
