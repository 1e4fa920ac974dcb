import { expect, test } from "vitest";
import { ownBytes } from "./own-bytes.js";

test("MEM-17 what is kept does not keep a message that is many times larger", () => {
  const message = Buffer.alloc(1 << 20, 7);
  const kept = ownBytes(message.subarray(5, 8));
  expect(kept).toEqual(Buffer.from([7, 7, 7]));
  expect(kept.buffer.byteLength).toBe(3);
  expect(ownBytes(message.subarray(1)).buffer).toBe(message.buffer);
  const chunk = Buffer.alloc(64 << 10).subarray(3, 4);
  expect(ownBytes(chunk)).toBe(chunk);
});
