import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
import { holdReadable, holdStream, takeHeld } from "./hold-stream.js";

test("a stream that fails before anybody listens ends no process, and keeps its error for who reads it later", async () => {
  const stream = holdStream(createReadStream("/nonexistent/x.tar"));
  await once(stream, "close").catch(() => {});
  await expect(pipeline(stream, new PassThrough())).rejects.toMatchObject({ code: "ENOENT" });
});

test("a stream gets one listener, however often it is held", () => {
  const stream = new PassThrough();
  for (let time = 0; time < 20; time++) holdStream(stream);
  expect(stream.listenerCount("error")).toBe(1);
});

test("a child's output is there for who reads it after the child's end, by iteration and by a pipe", async () => {
  for (const read of [
    async (stream: Readable) => Buffer.concat(await stream.toArray()).toString(),
    async (stream: Readable) => {
      const through = new PassThrough();
      const [text] = await Promise.all([through.toArray(), pipeline(stream, through)]);
      return Buffer.concat(text).toString();
    },
  ]) {
    const child = spawn("echo", ["hello"]);
    const stream = holdReadable(child.stdout);
    await once(child, "exit");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await read(takeHeld(stream))).toBe("hello\n");
  }
});
