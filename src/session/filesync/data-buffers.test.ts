import { once } from "node:events";
import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { Http2Client, serveHttp2 } from "../../http2/index.js";
import { DataBuffers, heldByCall } from "./data-buffers.js";

const mebibyte = 1024 * 1024;

test("a buffer comes back when the call can no longer hold it", () => {
  const buffers = new DataBuffers(mebibyte);
  const first = buffers.take(mebibyte);
  let written = 0;
  buffers.giveBack(first, (written += mebibyte));
  buffers.settled(written);
  expect(buffers.take(mebibyte) === first).toBe(false);
  buffers.settled(mebibyte + heldByCall - 1);
  expect(buffers.take(mebibyte) === first).toBe(false);
  buffers.settled(mebibyte + heldByCall);
  expect(buffers.take(mebibyte) === first).toBe(true);
  expect(buffers.take(mebibyte) === first).toBe(false);
});

test("small ones are made to measure and not kept", () => {
  const buffers = new DataBuffers(mebibyte);
  const small = buffers.take(1000);
  expect(small).toHaveLength(1000);
  buffers.giveBack(small, 0);
  buffers.settled(10 * heldByCall);
  expect(buffers.take(mebibyte) === small).toBe(false);
});

test("a call of ours asks to wait before it holds more", async () => {
  const [ours, theirs] = duplexPair();
  let written = 0;
  const server = serveHttp2(ours, {
    onCall(call) {
      // All in one turn of the event loop: nothing goes out meanwhile.
      do written += mebibyte / 4;
      while (call.write(Buffer.alloc(mebibyte / 4)));
      call.reset();
    },
  });
  const client = await Http2Client.connect(theirs);
  const stream = client.request({ ":path": "/a.B/C" });
  stream.resume().on("error", () => {}); // reset on purpose
  await once(stream, "close");
  expect(written).toBeLessThanOrEqual(heldByCall);
  client.close();
  server.close();
  await Promise.all([client.closed, server.closed]);
});
