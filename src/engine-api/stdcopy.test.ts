import { describe, expect, it } from "vitest";
import { stdcopyFrame as frame } from "../../test/support/fake-engine.js";
import { StdcopyParser } from "./stdcopy.js";

function collector() {
  const seen: { stream: 1 | 2; data: Buffer }[] = [];
  const parser = new StdcopyParser((stream, data) => seen.push({ stream, data }));
  const text = (stream: 1 | 2) =>
    Buffer.concat(seen.filter((each) => each.stream === stream).map((each) => each.data)).toString();
  return { parser, seen, text };
}

describe("StdcopyParser", () => {
  const wire = Buffer.concat([
    frame(1, "one "),
    frame(2, "err1 "),
    frame(0, "two "),
    frame(1, ""),
    frame(2, "err2"),
    frame(1, "x".repeat(300)),
  ]);

  it.each([1, 2, 3, 7, 8, 9, 64, wire.length])("takes frames apart when fed %i bytes at a time", (size) => {
    const { parser, text } = collector();
    for (let at = 0; at < wire.length; at += size) parser.feed(wire.subarray(at, at + size));
    expect(text(1)).toBe(`one two ${"x".repeat(300)}`);
    expect(text(2)).toBe("err1 err2");
    expect(parser.atBoundary).toBe(true);
  });

  it("hands out views, no copies", () => {
    const { parser, seen } = collector();
    parser.feed(wire);
    expect(seen.every(({ data }) => data.buffer === wire.buffer)).toBe(true);
  });

  it("SEC-26 a declared length of 4 GiB costs nothing and its payload is streamed", () => {
    const { parser, text } = collector();
    parser.feed(Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
    parser.feed(Buffer.from("first"));
    parser.feed(Buffer.from(" second"));
    expect(text(1)).toBe("first second");
    expect(parser.atBoundary).toBe(false);
  });

  it("SEC-26 other types are fatal", () => {
    expect(() => collector().parser.feed(Buffer.from([4, 0, 0, 0, 0, 0, 0, 1]))).toThrow(
      expect.objectContaining({ code: "ENGINE_PROTOCOL", message: "unrecognized stream: 4" }),
    );
  });

  it.each([1, 2, 3])("SEC-26 a reserved byte %i that is not zero is fatal", (at) => {
    const bytes = frame(1, "x");
    bytes[at] = 1;
    expect(() => collector().parser.feed(bytes)).toThrow(
      expect.objectContaining({ code: "ENGINE_PROTOCOL" }),
    );
  });

  it("an error frame is the daemon's error, however it is cut", () => {
    const bytes = frame(3, "out of memory");
    for (const cut of [1, 8, 9, bytes.length]) {
      const { parser } = collector();
      expect(() => {
        parser.feed(bytes.subarray(0, cut));
        parser.feed(bytes.subarray(cut));
      }).toThrow(
        expect.objectContaining({
          code: "ENGINE_STREAM",
          message: "error from daemon in stream: out of memory",
          engineMessage: "out of memory",
        }),
      );
    }
  });

  it("an error frame that the end cuts off still tells what came", () => {
    const { parser } = collector();
    parser.feed(frame(3, "out of memory").subarray(0, -3));
    expect(parser.endError()?.engineMessage).toBe("out of mem");
  });

  it("SEC-26 an endless error frame is cut off", () => {
    const { parser } = collector();
    parser.feed(Buffer.from([3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
    expect(() => {
      for (let i = 0; i < 100; i++) parser.feed(Buffer.alloc(64 * 1024, "e"));
    }).toThrow(expect.objectContaining({ code: "ENGINE_STREAM" }));
  });
});
