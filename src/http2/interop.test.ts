// Beside node:http2 (nghttp2), each as client and as server: what is asked for, in random order, is what comes.
import { once } from "node:events";
import * as http2 from "node:http2";
import { duplexPair } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { Http2Client } from "./client.js";
import type { ServerCall } from "./server-call.js";
import { serveHttp2 } from "./server.js";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function randomly(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

/** Headers of any printable characters, some of them often and some of them long. */
function someHeaders(random: (below: number) => number): Record<string, string> {
  const headers: Record<string, string> = {};
  const length = () => [0, 3, 20, 200, 5_000][random(5)] as number;
  for (let count = random(20); count > 0; count--) {
    const value = Array.from({ length: length() }, () => String.fromCharCode(0x21 + random(0x5e))).join("");
    headers[`x-${random(30)}`] = random(3) === 0 ? "again and again" : value;
  }
  return headers;
}

/** Parts of a body: none, small or large ones. */
function someParts(random: (below: number) => number): Buffer[] {
  return Array.from({ length: random(6) }, () =>
    Buffer.alloc([1, 100, 16_384, 70_000, 1_000_000][random(5)] as number, random(256)),
  );
}

const variants: [string, http2.Settings, number | undefined][] = [
  ["default settings", {}, undefined],
  ["small windows", { initialWindowSize: 100 }, undefined],
  ["long frames", { maxFrameSize: 1_000_000, initialWindowSize: 10_000_000 }, undefined],
  ["few streams", { maxConcurrentStreams: 2 }, undefined],
  ["no table of headers", { headerTableSize: 0 }, undefined],
  ["padding", {}, http2.constants.PADDING_STRATEGY_MAX],
];

test.each(variants)("our client asks node's server: %s", async (name, settings, paddingStrategy) => {
  const random = randomly(name.length);
  const [ours, theirs] = duplexPair();
  const session = http2.performServerHandshake(theirs, {
    settings,
    ...(paddingStrategy !== undefined && { paddingStrategy }),
    maxSendHeaderBlockLength: 1_000_000,
  });
  session.on("error", () => {});
  session.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    stream.on("error", () => {});
    // What comes goes back, its headers first.
    const back = Object.fromEntries(Object.entries(headers).filter(([key]) => key.startsWith("x-")));
    stream.respond({ ":status": 200, ...back }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.pipe(stream);
  });
  const client = await Http2Client.connect(ours);
  cleanUps.push(async () => {
    client.close();
    await client.closed;
    session.destroy();
    theirs.destroy();
  });
  const ask = async () => {
    const [headers, parts] = [someHeaders(random), someParts(random)];
    const stream = client.request({ ":path": "/a.B/C", ...headers });
    const answered = once(stream, "response");
    const got: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => got.push(chunk));
    const ended = once(stream, "end");
    const trailers = once(stream, "trailers");
    for (const part of parts) stream.write(part);
    stream.end();
    expect((await answered)[0]).toMatchObject(headers);
    await ended;
    expect(Buffer.concat(got).equals(Buffer.concat(parts))).toBe(true);
    expect((await trailers)[0]).toEqual({ "grpc-status": "0" });
  };
  for (let round = 0; round < 6; round++) await Promise.all(Array.from({ length: 5 }, ask));
  expect(client.failure()).toBeUndefined();
});

test.each(variants)("node's client asks our server: %s", async (name, settings, paddingStrategy) => {
  const random = randomly(name.length + 100);
  const [ours, theirs] = duplexPair();
  const handle = async (call: ServerCall) => {
    const seen = [...call.headerNames()].filter((key) => key.startsWith("x-"));
    const list = Buffer.from(JSON.stringify(seen.map((key) => [key, call.header(key)])));
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(list.length, 1);
    call.write([frame, list]);
    for await (const message of call.messages()) {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      if (!call.write([head, message])) await call.drained();
    }
    call.end();
  };
  const server = serveHttp2(ours, { onCall: (call) => void handle(call).catch(() => call.reset()) });
  const session = http2.connect("http://localhost", {
    createConnection: () => theirs,
    settings,
    ...(paddingStrategy !== undefined && { paddingStrategy }),
    maxSendHeaderBlockLength: 1_000_000,
  });
  session.on("error", () => {});
  cleanUps.push(async () => {
    session.destroy();
    server.close();
    await server.closed;
    theirs.destroy();
    ours.destroy();
  });
  const ask = async () => {
    const [headers, parts] = [someHeaders(random), someParts(random)];
    const stream = session.request({ ":method": "POST", ":path": "/a.B/C", ...headers });
    const got: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => got.push(chunk));
    const trailers = once(stream, "trailers");
    const ended = once(stream, "end");
    for (const part of parts) {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(part.length, 1);
      stream.write(head);
      stream.write(part);
    }
    stream.end();
    await ended;
    expect((await trailers)[0]).toMatchObject({ "grpc-status": "0" });
    const all = Buffer.concat(got);
    const length = all.readUInt32BE(1);
    const seen = Object.fromEntries(JSON.parse(all.toString("latin1", 5, 5 + length)) as [string, string][]);
    expect(seen).toEqual(headers);
    const expected = parts.reduce((sum, part) => sum + 5 + part.length, 0);
    expect(all.length - 5 - length).toBe(expected);
  };
  for (let round = 0; round < 6; round++) await Promise.all(Array.from({ length: 5 }, ask));
});
