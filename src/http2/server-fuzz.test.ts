import { once } from "node:events";
import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { Http2Client } from "./client.js";
import { frameHead } from "./framing.js";
import { statusOf } from "./grpc-error.js";
import type { ServerCall } from "./server-call.js";
import { serveHttp2 } from "./server.js";

async function handle(call: ServerCall) {
  try {
    for await (const chunk of call.bytesField()) call.write([frameHead(chunk.length), chunk]);
    call.end();
  } catch (error) {
    call.end(statusOf(error));
  }
}

/** What a client sends: preface, settings, a call with some messages, a cancelled call, the end. */
async function conversation(): Promise<Buffer> {
  const [client, tap] = duplexPair();
  const [forward, peer] = duplexPair();
  const sent: Buffer[] = [];
  tap.on("data", (chunk: Buffer) => {
    sent.push(chunk);
    forward.write(chunk);
  });
  forward.on("data", (chunk: Buffer) => tap.write(chunk));
  const server = serveHttp2(peer, { onCall: (call) => void handle(call) });
  const http2 = await Http2Client.connect(client);
  const patterns = Array.from({ length: 2000 }, (_, index) => `pattern/${index}`);
  const stream = http2.request({ ":path": "/a.B/C", "exclude-patterns": patterns });
  stream.resume();
  for (const length of [0, 10, 40_000])
    stream.write(Buffer.concat([frameHead(length), Buffer.alloc(length)]));
  stream.end();
  await once(stream, "close");
  http2.close();
  await http2.closed;
  server.close();
  await server.closed;
  for (const one of [tap, forward, peer]) one.destroy();
  return Buffer.concat(sent);
}

test("SEC-28 whatever bytes come, the connection ends with one error and nothing is thrown", async () => {
  const valid = await conversation();
  let seed = 7;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  const round = async () => {
    const bytes = Buffer.from(valid);
    for (let flips = 1 + random(4); flips > 0; flips--) {
      // Mostly near the beginning, where the frames are short.
      const at = random(2) === 0 ? random(bytes.length) : random(Math.min(400, bytes.length));
      bytes.writeUInt8(random(256), at);
    }
    const [ours, theirs] = duplexPair();
    const server = serveHttp2(ours, { onCall: (call) => void handle(call) });
    theirs.resume();
    theirs.on("error", () => {});
    const size = 1 + random(20_000);
    for (let at = 0; at < bytes.length; at += size) theirs.write(bytes.subarray(at, at + size));
    theirs.end();
    expect(await server.closed).toBeInstanceOf(Error);
    ours.destroy();
    theirs.destroy();
  };
  await Promise.all(Array.from({ length: 300 }, round));
});
