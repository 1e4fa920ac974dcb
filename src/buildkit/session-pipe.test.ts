import { once } from "node:events";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { afterEach, describe, expect, test } from "vitest";
import { type PlainDaemon, plainDaemon } from "../../test/support/plain-daemon.js";
import { AbortedError } from "../core/index.js";
import { GrpcError, frameHead, frameMessage, grpcCodes, type ServerCall } from "../http2/index.js";
import { BuildkitClient } from "./client.js";
import { split } from "./session-pipe.js";

const method = "/moby.buildkit.v1.Control/Session";
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

/** A daemon whose Session is `handle`, and a pipe into it. */
async function open(handle: (call: ServerCall) => Promise<void>, signal?: AbortSignal, sharedKey = "") {
  const daemon: PlainDaemon = plainDaemon({ methods: [method], handle });
  opened.push(daemon);
  const client = await BuildkitClient.connect(daemon.dial);
  opened.push(client);
  const methods = ["/a.B/C", "/d.E/F"];
  const pipe = await client.openSession({ id: "s1", sharedKey, methods, signal });
  return { daemon, client, pipe };
}

async function error(pipe: { once(name: "error", on: (error: Error) => void): unknown }): Promise<Error> {
  return new Promise((resolve) => pipe.once("error", resolve));
}

async function echo(call: ServerCall) {
  for await (const bytes of call.bytesField()) {
    if (!call.write([frameHead(bytes.length), bytes])) await call.drained();
  }
}

describe("SessionPipe", () => {
  test("announces every method in a header of its own", async () => {
    const { daemon, pipe } = await open(echo);
    pipe.end();
    await buffer(pipe);
    const call = daemon.calls[0] as ServerCall;
    expect(call.headerValues("x-docker-expose-session-uuid")).toEqual(["s1"]);
    expect(call.headerValues("x-docker-expose-session-sharedkey")).toEqual([""]);
    expect(call.headerValues("x-docker-expose-session-grpc-method")).toEqual(["/a.B/C", "/d.E/F"]);
  });

  test("says that a shared key of other characters is escaped", async () => {
    const { daemon, pipe } = await open(echo, undefined, "größe:n");
    pipe.end();
    await buffer(pipe);
    const call = daemon.calls[0] as ServerCall;
    expect(call.headerValues("x-docker-expose-session-sharedkey")).toEqual(["gr%C3%B6%C3%9Fe%3An"]);
    expect(call.headerValues("x-docker-expose-session-sharedkey-encoded")).toEqual(["1"]);
  });

  test("carries bytes both ways, whatever their chunks, and ends after half-close", async () => {
    const { pipe } = await open(echo);
    const chunks = [1, 70_000, 0, 3 * 1024 * 1024 + 1, 17, 16_384].map((length, index) =>
      Buffer.alloc(length, index + 1),
    );
    const [received] = await Promise.all([
      buffer(pipe),
      pipeline(Readable.from(chunks), pipe, { end: true }),
    ]);
    expect(received.equals(Buffer.concat(chunks))).toBe(true);
  });

  test("puts small writes that wait together into one message, and cuts large ones", async () => {
    const lengths: number[] = [];
    const { pipe } = await open(async (call) => {
      for await (const message of call.messages()) lengths.push(message.length);
    });
    pipe.cork();
    for (let index = 0; index < 100; index++) pipe.write(Buffer.alloc(10));
    pipe.uncork();
    pipe.write(Buffer.alloc(2 * 1024 * 1024 + 5));
    pipe.end();
    await buffer(pipe);
    const [first, ...rest] = lengths;
    expect(first).toBe(1000 + 3);
    expect(Math.max(...rest)).toBeLessThanOrEqual(1024 * 1024 + 5);
  });

  test("MEM-3 a daemon that does not read stops the writer", async () => {
    let read = () => {};
    const reading = new Promise<void>((resolve) => (read = resolve));
    const { pipe } = await open(async (call) => {
      await reading;
      for await (const _ of call.bytesField());
    });
    const chunk = Buffer.alloc(256 * 1024);
    let written = 0;
    while (pipe.write(chunk)) written += chunk.length;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    // Buffered here and under way; the windows of the other side come on top.
    expect(written).toBeLessThanOrEqual(6 * 1024 * 1024);
    expect(pipe.writableNeedDrain).toBe(true);
    read();
    await once(pipe, "drain");
    pipe.end();
    await buffer(pipe);
  });

  test("MEM-3 a reader that does not read stops the daemon", async () => {
    let sent = 0;
    const { pipe } = await open(async (call) => {
      const chunk = Buffer.alloc(64 * 1024);
      while (sent < 16 * 1024 * 1024) {
        sent += chunk.length;
        if (!call.write([frameHead(chunk.length), chunk])) await call.drained();
      }
    });
    await once(pipe, "readable");
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBeLessThan(6 * 1024 * 1024);
    expect((await buffer(pipe)).length).toBe(16 * 1024 * 1024);
  });

  test("the daemon's refusal comes as its status", async () => {
    const { pipe } = await open(async () => {
      throw new GrpcError(grpcCodes.alreadyExists, "session s1 exists");
    });
    pipe.resume();
    await expect(error(pipe)).resolves.toMatchObject({ grpcCode: 6, message: "session s1 exists" });
  });

  test("what was sent before the end is read before an error is told", async () => {
    const { pipe } = await open(async (call) => {
      const payload = Buffer.alloc(2 * 1024 * 1024, 1);
      call.write([frameHead(payload.length), payload]);
      throw new GrpcError(grpcCodes.unavailable, "gone");
    });
    let received = 0;
    const read = async () => {
      for await (const chunk of pipe) received += (chunk as Buffer).length;
    };
    await expect(read()).rejects.toMatchObject({ grpcCode: 14, message: "gone" });
    expect(received).toBe(2 * 1024 * 1024);
  });

  test("a lost connection destroys it with the reason", async () => {
    const { daemon, pipe } = await open(async (call) => {
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    });
    pipe.resume();
    const failed = error(pipe);
    await once(pipe, "resume");
    daemon.lose();
    await expect(failed).resolves.toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
  });

  test("aborting and destroying reset the call", async () => {
    for (const end of ["abort", "destroy"] as const) {
      const controller = new AbortController();
      let arrived = (_call: ServerCall) => {};
      const call = new Promise<ServerCall>((resolve) => (arrived = resolve));
      const { pipe } = await open(async (call) => {
        arrived(call);
        await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      }, controller.signal);
      const failed = end === "abort" ? error(pipe) : undefined;
      const { signal } = await call;
      const reset = once(signal, "abort");
      if (end === "abort") controller.abort("enough");
      else pipe.destroy();
      await reset;
      if (failed) await expect(failed).resolves.toEqual(new AbortedError("enough"));
    }
  });

  test.each([
    ["a compressed message", Buffer.from([1, 0, 0, 0, 0])],
    ["a field longer than its message", frameMessage(Buffer.from([10, 100, 1]))],
    ["half a message", Buffer.from([0, 0, 0])],
  ])("SEC-25 %s destroys it", async (_name, bytes) => {
    const { pipe } = await open(async (call) => {
      call.write(bytes);
    });
    pipe.resume();
    await expect(error(pipe)).resolves.toMatchObject({ code: "BUILDKIT_PROTOCOL" });
  });

  test("refuses metadata that would not travel", async () => {
    const daemon = plainDaemon();
    opened.push(daemon);
    const client = await BuildkitClient.connect(daemon.dial);
    opened.push(client);
    const session = client.openSession({ id: "a\r\nb", sharedKey: "", methods: [] });
    await expect(session).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

test("split groups without copying", () => {
  const one = Buffer.from("abc");
  const two = Buffer.from("defghij");
  const messages = [...split([one, Buffer.alloc(0), two], 4)];
  expect(messages.map((message) => Buffer.concat(message).toString())).toEqual(["abcd", "efgh", "ij"]);
  expect(messages[0]?.[0]?.buffer).toBe(one.buffer);
  expect([...split([], 4)]).toEqual([]);
});
