import { once } from "node:events";
import * as http2 from "node:http2";
import { Readable, duplexPair } from "node:stream";
import { createClient } from "@connectrpc/connect";
import { afterEach, describe, expect, test } from "vitest";
import { transportOver } from "../../test/support/transport-over.js";
import { onePacketServer } from "../../test/support/one-packet-server.js";
import { Http2Client } from "./client.js";
import { frameMessage } from "./framing.js";
import { streamChunks } from "./stream-chunks.js";

const opened: Http2Client[] = [];
const served: (() => void)[] = [];

afterEach(async () => {
  for (const client of opened.splice(0)) {
    client.close();
    await client.closed;
  }
  for (const end of served.splice(0)) end();
});

async function connect(duplex: Parameters<typeof Http2Client.connect>[0]) {
  const client = await Http2Client.connect(duplex);
  opened.push(client);
  return client;
}

/** A call on a server of node:http2, whose side of the call `handle` takes. */
async function call(handle: (stream: http2.ServerHttp2Stream) => void) {
  const [ours, theirs] = duplexPair();
  const session = http2.performServerHandshake(theirs);
  served.push(() => {
    session.destroy();
    theirs.destroy();
  });
  session.on("stream", (stream: http2.ServerHttp2Stream) => {
    stream.on("error", () => {});
    handle(stream);
  });
  const stream = (await connect(ours)).request({ ":path": "/a.B/C" });
  stream.on("error", () => {});
  stream.end();
  await once(stream, "response");
  return stream;
}

async function read(chunks: AsyncIterable<Buffer>) {
  const got: Buffer[] = [];
  for await (const chunk of chunks) got.push(chunk);
  return Buffer.concat(got);
}

describe("an answer in one packet (nodejs/node 65677)", () => {
  const headers = { "content-type": "application/grpc" };
  const trailers = { "grpc-status": "0" };

  test.each([1, 3])("is read to its end, of %i frames", async (count) => {
    const data = Array.from({ length: count }, (_, index) => Buffer.from(`part ${index}`));
    const client = await connect(onePacketServer({ headers, data, trailers }));
    const stream = client.request({ ":path": "/a.B/C" });
    const [got] = [once(stream, "trailers"), stream.end()];
    await once(stream, "response");
    const bytes = await read(streamChunks(stream));
    expect(bytes).toEqual(Buffer.concat(data));
    expect((await got)[0]).toMatchObject(trailers);
  });

  test("is an answer to connect's transport", async () => {
    const data = [frameMessage(Buffer.from([8, 1]))];
    const sessionManager = (await connect(onePacketServer({ headers, data, trailers }))).sessionManager();
    const transport = transportOver(sessionManager);
    const { Health } = await import("../buildkit/gen/grpc/health/v1/health_pb.js");
    expect(await createClient(Health, transport).check({})).toMatchObject({ status: 1 });
  });

  test("is an error to connect's transport, with its status", async () => {
    const server = onePacketServer({
      headers,
      data: [],
      trailers: { "grpc-status": "5", "grpc-message": "no" },
    });
    const sessionManager = (await connect(server)).sessionManager();
    const transport = transportOver(sessionManager);
    const { Health } = await import("../buildkit/gen/grpc/health/v1/health_pb.js");
    await expect(createClient(Health, transport).check({})).rejects.toMatchObject({
      code: 5,
      rawMessage: "no",
    });
  });
});

describe("streamChunks", () => {
  test("stops the peer while nobody reads", async () => {
    let written = 0;
    const source = new Readable({
      read() {
        this.push(written < 64 ? Buffer.alloc(64 * 1024) : null);
        written++;
      },
    });
    const stream = await call((remote) => {
      remote.respond({ ":status": 200 });
      source.pipe(remote);
    });
    const chunks = streamChunks(stream);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(written).toBeLessThan(64);
    expect((await read(chunks)).length).toBe(64 * 64 * 1024);
  });

  test.each([
    ["reset", http2.constants.NGHTTP2_INTERNAL_ERROR],
    ["cancelled", http2.constants.NGHTTP2_CANCEL],
  ])("throws when the stream is %s, before it is read and while it is", async (_, trailers) => {
    const code = "HTTP2_LOST";
    const client = await connect(onePacketServer({ headers: {}, data: [Buffer.from("some")], trailers }));
    const stream = async () => {
      const opened = client.request({ ":path": "/a.B/C" });
      opened.on("error", () => {});
      opened.end();
      await once(opened, "response");
      return opened;
    };
    await expect(read(streamChunks(await stream()))).rejects.toMatchObject({ code });
    const late = await stream();
    const closed = new Promise((resolve) => late.once("close", resolve));
    const reader = streamChunks(late);
    await closed;
    await expect(read(reader)).rejects.toMatchObject({ code });
    await expect(read(streamChunks(late))).rejects.toMatchObject({ code });
  });

  test("ends at once on a stream that was read to its end", async () => {
    const stream = await call((remote) => {
      remote.respond({ ":status": 200 });
      remote.end("all");
    });
    const first = streamChunks(stream);
    expect(String(await read(first))).toBe("all");
    expect(String(await read(streamChunks(stream)))).toBe("");
  });

  test("left early, drops what still comes and lets the stream end", async () => {
    const stream = await call((remote) => {
      remote.respond({ ":status": 200 });
      remote.write("one");
      setTimeout(() => remote.end(Buffer.alloc(100_000)), 20);
    });
    for await (const chunk of streamChunks(stream)) {
      expect(String(chunk)).toBe("one");
      break;
    }
    await new Promise((resolve) => stream.once("close", resolve));
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
  });
});
