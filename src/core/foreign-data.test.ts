import { PassThrough, Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { bytesOf, isBlob, isByteSource, readableOf, writableOf } from "./foreign-data.js";

async function* chunks() {
  yield "he";
  yield Buffer.from("llo");
}

/** A web stream of another library: only the methods. */
const foreign = () => {
  const parts = ["he", "llo"].map((part) => new TextEncoder().encode(part));
  const reader = {
    read: async () => ({ done: parts.length === 0, value: parts.shift() }),
    cancel: async () => {},
  };
  return { locked: false, getReader: () => reader };
};

test.each([
  ["a stream of Node", () => Readable.from(["hello"])],
  ["the body of an answer", () => new Response("hello").body],
  ["a Blob", () => new Blob(["hello"])],
  ["an async iterable", chunks],
  ["a web stream of another library", foreign],
])("%s can be read", async (_, make) => {
  const source: unknown = make();
  expect(isBlob(source) || isByteSource(source)).toBe(true);
  expect((await buffer(readableOf(source as Readable))).toString()).toBe("hello");
});

test("what is none is none", () => {
  for (const value of [undefined, null, 5, {}, "text", new Response("x"), new Writable()]) {
    expect(isBlob(value)).toBe(false);
    expect(isByteSource(value)).toBe(false);
  }
  expect(bytesOf(5)).toBeUndefined();
  expect(bytesOf([1])).toBeUndefined();
});

test("a stream that is taken is refused with its reason", () => {
  const { body } = new Response("x");
  body?.getReader();
  expect(() => readableOf(body as never)).toThrow(/locked/);
});

test("a web stream can be written", async () => {
  const into = new PassThrough();
  const target = writableOf(
    new WritableStream<Uint8Array>({
      write: (chunk) => void into.write(chunk),
      close: () => void into.end(),
    }) as never,
  );
  target.end("hello");
  expect((await buffer(into)).toString()).toBe("hello");
});
