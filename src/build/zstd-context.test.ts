import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test, vi } from "vitest";
import { isZstd, uploadsWithoutZstd } from "./zstd-context.js";

const zstd = Buffer.from("28b52ffd2000010000", "hex");
const skippable = Buffer.from("5a2a4d1800000000", "hex");
const unexpected = (error: Error) => expect.unreachable(error.message);

test.each([
  [zstd, true],
  [skippable, true],
  [skippable.subarray(0, 7), false],
  [Buffer.from("502a4d1800000000", "hex"), true],
  [Buffer.from("402a4d1800000000", "hex"), false],
  [Buffer.from("1f8b0800", "hex"), false],
  [Buffer.from("28b5", "hex"), false],
  [Buffer.alloc(0), false],
])("%j: %s", (head, is) => {
  expect(isZstd(head)).toBe(is);
});

test("a stream of zstd fails on its first bytes, however they come, and its source is closed", async () => {
  for (const chunks of [[zstd], [...zstd].map((byte) => Buffer.from([byte])), [zstd.subarray(0, 4)]]) {
    const source = Readable.from(chunks);
    const refused = vi.fn();
    const stream = uploadsWithoutZstd(new Map([["a", source]]), refused).get("a") as Readable;
    await expect(buffer(stream)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(refused).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(source.destroyed).toBe(true));
  }
});

test("anything else passes, whole", async () => {
  for (const text of ["", "FROM", "FROM scratch\n", "x".repeat(100_000)]) {
    const parts = text.length < 20 ? text.split("") : [text];
    const source = Readable.from(parts.map((part) => Buffer.from(part)));
    const stream = uploadsWithoutZstd(new Map([["a", source]]), unexpected).get("a") as Readable;
    expect((await buffer(stream)).toString()).toBe(text);
  }
});

test("a source that fails says so to the reader, and one that is not read any more is closed", async () => {
  const failure = new Error("lost");
  const failing = new Readable({ read: () => failing.destroy(failure) });
  const uploads = uploadsWithoutZstd(new Map([["a", failing]]), unexpected);
  await expect(buffer(uploads.get("a") as Readable)).rejects.toBe(failure);

  const silent = new Readable({ read() {} });
  const stream = uploadsWithoutZstd(new Map([["a", silent]]), unexpected).get("a") as Readable;
  stream.on("error", () => {}).destroy(new Error("enough"));
  await vi.waitFor(() => expect(silent.destroyed).toBe(true));
});

test("bytes of zstd are refused at once", () => {
  expect(() => uploadsWithoutZstd(new Map([["a", zstd]]), unexpected)).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error,
  );
});
