import { duplexPair } from "node:stream";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import type { ClientStream, HeaderFields } from "./client-stream.js";
import { Http2Client } from "./client.js";
import { frameHead, frameMessage } from "./framing.js";
import { GrpcError, grpcCodes, statusOf } from "./grpc-error.js";
import { MessageDecoder } from "./message-decoder.js";
import type { ServerCall } from "./server-call.js";
import { errorCodes } from "./wire/index.js";
import { serveHttp2, type Http2Server } from "./server.js";

let opened: { client: Http2Client; server: Http2Server }[] = [];

afterEach(async () => {
  for (const { client, server } of opened) {
    client.close();
    server.close();
    await client.closed;
    await server.closed;
  }
  opened = [];
});

async function serve(handle: (call: ServerCall) => Promise<void>) {
  const [ours, theirs] = duplexPair();
  const server = serveHttp2(ours, {
    onCall(call) {
      handle(call).then(
        () => call.end(),
        (error: unknown) => call.end(statusOf(error)),
      );
    },
  });
  const client = await Http2Client.connect(theirs);
  opened.push({ client, server });
  return { client, server, ours, theirs };
}

async function answer(stream: ClientStream) {
  const messages: Buffer[] = [];
  const decoder = new MessageDecoder();
  stream.on("data", (chunk: Buffer) => decoder.push(chunk, (message) => messages.push(Buffer.from(message))));
  let trailers: HeaderFields = {};
  stream.on("response", (headers: HeaderFields) => (trailers = headers));
  stream.on("trailers", (headers: HeaderFields) => (trailers = headers));
  await once(stream, "close");
  return { messages, status: trailers["grpc-status"], message: trailers["grpc-message"], trailers };
}

describe("serveHttp2", () => {
  test("echoes messages and ends with OK", async () => {
    const { client } = await serve(async (call) => {
      for await (const message of call.messages()) call.write(frameMessage(message));
    });
    const stream = client.request({ ":path": "/a.B/C" });
    stream.write(frameMessage(Buffer.from("one")));
    stream.end(frameMessage(Buffer.alloc(300_000, 7)));
    const { messages, status } = await answer(stream);
    expect(messages.map((message) => message.length)).toEqual([3, 300_000]);
    expect(status).toBe("0");
  });

  test("a thrown error becomes the status, with message and details", async () => {
    const { client } = await serve(async () => {
      throw new GrpcError(grpcCodes.notFound, "no “x” 100%\n", { details: Buffer.from([1, 2, 3]) });
    });
    const stream = client.request({ ":path": "/a.B/C" });
    stream.end();
    const { trailers } = await answer(stream);
    expect(trailers["grpc-status"]).toBe("5");
    expect(trailers["grpc-message"]).toBe("no %E2%80%9Cx%E2%80%9D 100%25%0A");
    expect(trailers["grpc-status-details-bin"]).toBe("AQID");
  });

  test("FLT-75 20,000 values of one header arrive apart and in order", async () => {
    let got: string[] = [];
    const { client } = await serve(async (call) => {
      got = call.headerValues("exclude-patterns");
    });
    const values = Array.from({ length: 20_000 }, (_, index) => `some/directory, with a comma/${index}`);
    const stream = client.request({ ":path": "/a.B/C", "exclude-patterns": values });
    stream.end();
    expect((await answer(stream)).status).toBe("0");
    expect(got).toEqual(values);
  });

  test("a cancelled call aborts its signal and wakes its waiters", async () => {
    let reason: unknown;
    let drained: unknown;
    const { promise, resolve } = deferred();
    const { client } = await serve(async (call) => {
      const chunk = Buffer.alloc(1024 * 1024);
      while (call.write([frameHead(chunk.length), chunk]));
      resolve();
      drained = await call.drained().catch((error: unknown) => error);
      reason = call.signal.reason;
    });
    const stream = client.request({ ":path": "/a.B/C" });
    stream.on("error", () => {});
    await promise;
    stream.close(errorCodes.CANCEL);
    await once(stream, "close");
    await expect.poll(() => reason).toBeInstanceOf(GrpcError);
    expect(drained).toBe(reason);
  });

  test("SEC-55 nothing is served after close, and open calls are aborted", async () => {
    let signal: AbortSignal | undefined;
    const started = deferred();
    const { client, server } = await serve(async (call) => {
      signal = call.signal;
      started.resolve();
      for await (const _ of call.messages());
    });
    const stream = client.request({ ":path": "/a.B/C" });
    stream.on("error", () => {});
    await started.promise;
    server.close();
    await once(stream, "close");
    await client.closed;
    expect(signal?.aborted).toBe(true);
    expect(client.failure()).toMatchObject({ code: "HTTP2_GOAWAY" });
    expect(() => client.request({ ":path": "/a.B/C" })).toThrow(client.failure());
    expect(await server.closed).toBeUndefined();
  });

  test("MEM-3 a consumer that does not read stops the sender", async () => {
    const release = deferred();
    let received = 0;
    const { client } = await serve(async (call) => {
      for await (const chunk of call.bytesField()) {
        received += chunk.length;
        await release.promise;
      }
    });
    const stream = client.request({ ":path": "/a.B/C" });
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    const send = async () => {
      for (; sent < 128 * chunk.length; sent += chunk.length) {
        stream.write(frameHead(chunk.length));
        await new Promise((done) => stream.write(chunk, done));
      }
      stream.end();
    };
    void send();
    await expect.poll(() => sent).toBeGreaterThan(0);
    await settle();
    expect(sent).toBeLessThanOrEqual(2 * 1024 * 1024);
    release.resolve();
    expect((await answer(stream)).status).toBe("0");
    expect(received).toBe(128 * chunk.length);
  });
});

function deferred() {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** Lets everything that can still move do so. */
async function settle() {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
}
