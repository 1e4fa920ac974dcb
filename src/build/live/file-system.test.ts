import { expect, test } from "vitest";
import type { FileCalls, FileSystem } from "./file-system.js";
import { readFile } from "./file-system.js";

/** A daemon whose file has this many bytes, which it gives in the pieces that are asked for. */
function files(size: number, more = 0): FileSystem {
  const calls = {
    statFile: () => Promise.resolve({}),
    readFile: ({ Range }: { Range: { Offset: bigint; Length: bigint } }) => {
      const left = Math.min(size - Number(Range.Offset), Number(Range.Length));
      return Promise.resolve({ Data: Buffer.alloc(Math.max(0, left) + more) });
    },
  } as unknown as FileCalls;
  return { calls, id: "x", locate: (path) => ({ path, mountIndex: 0 }) };
}

test("a file is read in pieces, to its end or as far as is asked", async () => {
  expect(await readFile(files(9_000_000), "/f", {})).toHaveLength(9_000_000);
  expect(await readFile(files(9_000_000), "/f", { offset: 10, length: 5 })).toHaveLength(5);
  expect(await readFile(files(0), "/f", {})).toHaveLength(0);
});

test("a daemon whose file has no end, or that sends more than was asked for, is not believed", async () => {
  await expect(readFile(files(Infinity), "/f", {})).rejects.toThrow(
    "/f in the result has more than 268435456 bytes: read it in parts, by offset and length",
  );
  await expect(readFile(files(10, 5_000_000), "/f", {})).rejects.toMatchObject({ code: "BUILDER_CLAIM" });
});
