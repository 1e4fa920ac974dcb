import { describe, expect, test } from "vitest";
import { FrameReader } from "./frame-reader.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** What a reader hands over, as text; data is put together. */
function framesOf(bytes: Buffer, size: number): string[] {
  const seen: string[] = [];
  let data = "";
  const reader = new FrameReader({
    frame: (type, flags, stream, payload) =>
      seen.push(`${type} ${flags} ${stream} ${payload.toString("hex")}`),
    dataBegin: (stream, length) => {
      data = "";
      seen.push(`data ${stream} ${length}`);
    },
    dataBytes: (piece) => (data += piece.toString("hex")),
    dataEnd: (flags) => seen.push(`${data} ${flags}`),
  });
  for (let at = 0; at < bytes.length; at += size) reader.push(Buffer.from(bytes.subarray(at, at + size)));
  return seen;
}

describe("FrameReader", () => {
  const frames = hex(
    "000000 04 00 00000000" +
      "000006 04 00 00000000 000300000064" +
      "000003 00 00 00000001 616263" +
      "000000 00 01 00000001" +
      // Padded: two bytes of padding, then nothing but padding.
      "000006 00 08 80000003 02 616263 0000" +
      "000002 00 09 00000003 01 00" +
      "000001 00 08 00000003 00" +
      "000008 06 00 00000000 0102030405060708",
  );
  const expected = [
    "4 0 0 ",
    "4 0 0 000300000064",
    "data 1 3",
    "616263 0",
    "data 1 0",
    " 1",
    "data 3 6",
    "616263 8",
    "data 3 2",
    " 9",
    "data 3 1",
    " 8",
    "6 0 0 0102030405060708",
  ];

  test.each([1, 2, 3, 5, 7, 9, 10, 13, 1000])("reads frames that come in pieces of %i bytes", (size) => {
    expect(framesOf(frames, size)).toEqual(expected);
  });

  test.each([
    ["000003 00 08 00000001 03 6162", "more padding than bytes"],
    ["000000 00 08 00000001", "padding was promised"],
    ["004001 00 00 00000001", "a frame of 16385 bytes came (FRAME_SIZE_ERROR)"],
    ["ffffff 0a 00 00000000", "a frame of 16777215 bytes came"],
  ])("%s is refused", (bytes, problem) => {
    expect(() => framesOf(hex(bytes), 1000)).toThrow(problem);
    expect(() => framesOf(hex(bytes), 1)).toThrow(problem);
  });
});
