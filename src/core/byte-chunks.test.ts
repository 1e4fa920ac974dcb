import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { byteChunks } from "./byte-chunks.js";

const all = async (stream: AsyncIterable<unknown>) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of byteChunks(stream, "the stream")) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

test("texts are UTF-8, and bytes are taken in every form", async () => {
  const bytes = new TextEncoder().encode("ab");
  expect(await all(Readable.from(["ö", Buffer.from("b"), bytes, bytes.buffer]))).toBe("öbabab");
});

test.each<[unknown, string]>([
  [{ a: 1 }, "an object"],
  [5, "the number 5"],
  [["x"], "a list"],
])("%j is refused by its kind", async (chunk, kind) => {
  await expect(all(Readable.from([Buffer.from("x"), chunk]))).rejects.toThrow(
    `the stream must give bytes, not ${kind}`,
  );
});

test("a stream that ends before its end is told; what it fails with is its own", async () => {
  const closed = new PassThrough();
  closed.write("x");
  setImmediate(() => closed.destroy());
  await expect(all(closed)).rejects.toThrow("the stream was closed before its end");
  const failed = new PassThrough();
  failed.destroy(new Error("mine"));
  await expect(all(failed)).rejects.toThrow(/^mine$/);
});

test("who leaves early ends the stream", async () => {
  const stream = Readable.from(["a", "b"]);
  for await (const _ of byteChunks(stream, "the stream")) break;
  expect(stream.destroyed).toBe(true);
});
