import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { maxLineBytes, readJsonLines, readLines } from "./json-lines.js";
import { readMessages } from "./json-messages.js";

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

const chunks = (...parts: string[]) =>
  Readable.from(
    parts.map((part) => Buffer.from(part)),
    { objectMode: true },
  );

describe("readLines", () => {
  it("joins and splits whatever the chunks are", async () => {
    expect(await all(readLines(chunks("a", "b\r\n", "\r\n\nc\nd", "ä", "\ne")))).toEqual([
      "ab",
      "c",
      "dä",
      "e",
    ]);
  });

  it("does not tear a character apart", async () => {
    const bytes = Buffer.from("ä\n");
    const source = Readable.from([bytes.subarray(0, 1), bytes.subarray(1)], { objectMode: true });
    expect(await all(readLines(source))).toEqual(["ä"]);
  });

  it("SEC-56 a line beyond 1 MiB is an error and the stream is destroyed", async () => {
    const half = Buffer.alloc(maxLineBytes / 2, "x");
    const source = Readable.from([half, half, half, half], { objectMode: true });
    await expect(all(readLines(source))).rejects.toMatchObject({ code: "ENGINE_TOO_LARGE" });
    expect(source.destroyed).toBe(true);
  });

  it("a line of exactly 1 MiB is accepted", async () => {
    const [line] = await all(readLines(chunks("x".repeat(maxLineBytes), "\n")));
    expect(line).toHaveLength(maxLineBytes);
  });

  it("leaving the loop destroys the stream", async () => {
    const source = chunks("a\nb\n", "c\n");
    for await (const line of readLines(source)) {
      expect(line).toBe("a");
      break;
    }
    expect(source.destroyed).toBe(true);
  });
});

describe("readJsonLines", () => {
  it.each(["{", "1", "[]", "null", "text"])("refuses %j", async (line) => {
    await expect(all(readJsonLines(chunks(`${line}\n`)))).rejects.toMatchObject({ code: "ENGINE_PROTOCOL" });
  });
});

describe("readMessages", () => {
  const request = { method: "POST", path: "/images/load" };

  it("an error element is an error", async () => {
    const source = chunks(
      '{"status":"a"}\r\n',
      '{"errorDetail":{"code":1,"message":"no space"},"error":"no space"}\r\n',
    );
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const message of readMessages(source, request)) seen.push(message);
    })();
    await expect(reading).rejects.toMatchObject({
      code: "ENGINE_STREAM",
      message: "no space",
      engineMessage: "no space",
      ...request,
    });
    expect(seen).toEqual([{ status: "a" }]);
  });

  it.each(['{"error":"e"}', '{"errorDetail":{"message":"e"}}'])("%s alone is one", async (line) => {
    await expect(all(readMessages(chunks(line), request))).rejects.toMatchObject({ engineMessage: "e" });
  });

  it("plain text is a message", async () => {
    expect(await all(readMessages(chunks("Error unpacking image\n"), request))).toEqual([
      { stream: "Error unpacking image\n" },
    ]);
  });
});
