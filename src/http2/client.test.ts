import { once } from "node:events";
import * as http2 from "node:http2";
import { type Server, type Socket, connect, createServer } from "node:net";
import { Duplex, duplexPair } from "node:stream";
import { createClient } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { transportOver } from "../../test/support/transport-over.js";
import { onePacketServer } from "../../test/support/one-packet-server.js";
import { AbortedError, SlipwayError } from "../core/index.js";
import { Http2Client } from "./client.js";
import { remoteWindows } from "./windows.js";

const respond = (stream: http2.ServerHttp2Stream) => stream.respond({ ":status": 200 }, { endStream: true });
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A plain node:http2 server on one end of a pair; `handle` takes its streams. */
function plainServer(handle: (stream: http2.ServerHttp2Stream) => void, options: http2.ServerOptions = {}) {
  const [ours, theirs] = duplexPair();
  const session = http2.performServerHandshake(theirs, options);
  session.on("error", () => {});
  session.on("stream", (stream: http2.ServerHttp2Stream) => {
    stream.on("error", () => {});
    handle(stream);
  });
  cleanUps.push(() => {
    session.destroy();
    theirs.destroy();
    ours.destroy();
  });
  return { ours, theirs, session };
}

async function open(duplex: Duplex, options: Parameters<typeof Http2Client.connect>[1] = {}) {
  const client = await Http2Client.connect(duplex, options);
  cleanUps.push(async () => {
    client.close();
    await client.closed;
  });
  return client;
}

function request(client: Http2Client, options: Parameters<Http2Client["request"]>[1] = {}) {
  const stream = client.request({ ":path": "/a.B/C" }, options);
  stream.on("error", () => {});
  return stream;
}

describe("Http2Client.connect", () => {
  test("fails when the duplex ends before HTTP/2 began, and destroys it", async () => {
    const [ours, theirs] = duplexPair();
    const connecting = Http2Client.connect(ours);
    theirs.end();
    await expect(connecting).rejects.toMatchObject({ code: "HTTP2_LOST" });
    expect(ours.destroyed).toBe(true);
  });

  test("fails with the transport's own error", async () => {
    const [ours] = duplexPair();
    const connecting = Http2Client.connect(ours);
    ours.destroy(new SlipwayError("ENGINE_EXEC", "the exec ended with exit code 127"));
    await expect(connecting).rejects.toMatchObject({ code: "ENGINE_EXEC" });
  });

  test("fails when the peer speaks something else", async () => {
    const [ours, theirs] = duplexPair();
    const connecting = Http2Client.connect(ours);
    theirs.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    theirs.resume();
    await expect(connecting).rejects.toMatchObject({ code: "HTTP2_PROTOCOL" });
  });

  test("its signal ends the attempt, not the connection", async () => {
    const [silent] = duplexPair();
    const controller = new AbortController();
    const connecting = Http2Client.connect(silent, { signal: controller.signal });
    controller.abort();
    await expect(connecting).rejects.toBeInstanceOf(AbortedError);
    expect(silent.destroyed).toBe(true);
    const { ours } = plainServer(respond);
    const later = new AbortController();
    const client = await open(ours, { signal: later.signal });
    later.abort();
    const stream = request(client);
    await once(stream, "response");
  });

  test("MEM-9 announces its windows, of streams and of the connection", async () => {
    const { ours, session } = plainServer(() => {});
    const settings = once(session, "remoteSettings");
    await open(ours, { windows: remoteWindows });
    const [remote] = (await settings) as [http2.Settings];
    expect(remote.initialWindowSize).toBe(8 * 1024 * 1024);
    await expect.poll(() => session.state.remoteWindowSize).toBe(16 * 1024 * 1024);
  });

  test("takes a duplex whose peer answers before the write has returned", async () => {
    // Node aborts the process when it is handed bytes while it writes (a CHECK in node_http2.cc).
    const answer = { headers: {}, data: [Buffer.from("all")], trailers: { "grpc-status": "0" } };
    const client = await open(onePacketServer(answer));
    for (let call = 0; call < 20; call++) {
      const stream = request(client);
      stream.write("question");
      stream.end("?");
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      await once(stream, "end");
      expect(String(Buffer.concat(chunks))).toBe("all");
    }
  });

  test("reads what was put back into the duplex before", async () => {
    const { ours, theirs } = plainServer(respond);
    // The server's settings arrive together with the 101 of an upgrade, and are put back by its parser.
    await once(ours, "readable");
    const early: unknown = ours.read();
    expect(early).toBeInstanceOf(Buffer);
    ours.unshift(early);
    await open(ours);
    expect(theirs.destroyed).toBe(false);
  });
});

describe("why a connection died", () => {
  const closedStream = async (client: Http2Client) => {
    const stream = request(client);
    const close = closed(stream);
    return { stream, close };
  };

  test("the other side closed it", async () => {
    const { ours, theirs } = plainServer(() => {});
    const client = await open(ours);
    const { close } = await closedStream(client);
    theirs.end();
    await close;
    await client.closed;
    expect(client.failure()).toMatchObject({
      code: "HTTP2_LOST",
      message: "the connection was closed by the peer",
    });
    expect(() => request(client)).toThrow(client.failure());
    await expect(client.sessionManager().request("POST", "/a.B/C", {}, {})).rejects.toBe(client.failure());
  });

  test("the socket failed", async () => {
    const { ours } = plainServer(() => {});
    const client = await open(ours);
    const { close } = await closedStream(client);
    const error = new Error("read ECONNRESET");
    ours.destroy(error);
    await close;
    await client.closed;
    expect(client.failure()).toMatchObject({ code: "HTTP2_LOST", cause: error });
  });

  test("the peer said GOAWAY", async () => {
    const { ours, session } = plainServer(() => {});
    const client = await open(ours);
    const { close } = await closedStream(client);
    session.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from("too_many_pings"));
    await close;
    await client.closed;
    expect(client.failure()).toMatchObject({
      code: "HTTP2_GOAWAY",
      errorCode: http2.constants.NGHTTP2_ENHANCE_YOUR_CALM,
      debugData: "too_many_pings",
    });
  });

  test("a GOAWAY without an error lets open calls end and no new one begin", async () => {
    const { ours, session } = plainServer((stream) => {
      session.goaway(http2.constants.NGHTTP2_NO_ERROR, 1, Buffer.from("shutting down"));
      stream.respond({ ":status": 200 });
      setImmediate(() => stream.end());
    });
    const client = await open(ours);
    const stream = request(client);
    const ended = once(stream, "end");
    await once(stream, "response");
    expect(() => request(client)).toThrow("shutting down");
    stream.resume();
    await ended;
    stream.end();
    await client.closed;
    expect(client.failure()).toMatchObject({ code: "HTTP2_GOAWAY" });
  });

  test("we closed it", async () => {
    const { ours } = plainServer(() => {});
    const client = await open(ours);
    expect(client.failure()).toBeUndefined();
    client.close();
    client.close();
    await client.closed;
    expect(client.failure()).toMatchObject({ code: "HTTP2_CLOSED" });
    expect(ours.destroyed).toBe(true);
  });
});

describe("Http2Client.request", () => {
  test("an aborted signal resets the stream with CANCEL", async () => {
    const { ours, session } = plainServer(() => {});
    const arrived = once(session, "stream");
    const client = await open(ours);
    const controller = new AbortController();
    const stream = client.request({ ":path": "/a.B/C" }, { signal: controller.signal });
    const failed = once(stream, "error");
    const [remote] = (await arrived) as [http2.ServerHttp2Stream];
    const cancelled = closed(remote);
    controller.abort("why");
    expect((await failed)[0]).toMatchObject({ name: "AbortError", cause: "why" });
    await cancelled;
    expect(remote.rstCode).toBe(http2.constants.NGHTTP2_CANCEL);
    expect(client.failure()).toBeUndefined();
  });

  test("values given as a list go out as headers of their own", async () => {
    let raw: string[] = [];
    const { ours, session } = plainServer(respond);
    session.on("stream", (...given: unknown[]) => (raw = given[3] as string[]));
    const client = await open(ours);
    await once(client.request({ ":path": "/a.B/C", "x-many": ["one", "two, three"] }), "response");
    expect(raw.filter((_, index) => raw[index - 1] === "x-many")).toEqual(["one", "two, three"]);
  });

  test.each([1000, 100_000, 3_000_000])("takes %i bytes of error details", async (length) => {
    const details = Buffer.alloc(length, "0123456789").toString("base64");
    const message = "a, b".repeat(length / 10);
    const limit = 16 * 1024 * 1024;
    const { ours } = plainServer(
      (stream) => {
        stream.respond({ ":status": 200 }, { waitForTrailers: true });
        stream.on("wantTrailers", () =>
          stream.sendTrailers({
            "grpc-status": "9",
            "grpc-message": message,
            "grpc-status-details-bin": details,
          }),
        );
        stream.end();
      },
      { maxSendHeaderBlockLength: limit },
    );
    const client = await open(ours);
    const stream = request(client);
    stream.resume();
    const [trailers] = (await once(stream, "trailers")) as [http2.IncomingHttpHeaders];
    expect(trailers["grpc-status"]).toBe("9");
    expect(trailers["grpc-message"] === message).toBe(true);
    expect(trailers["grpc-status-details-bin"] === details).toBe(true);
    expect(client.failure()).toBeUndefined();
  });

  test("serves connect's transport", async () => {
    const { ours } = plainServer((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.resume();
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
    });
    const client = await open(ours);
    const sessionManager = client.sessionManager();
    const transport = transportOver(sessionManager);
    const { Health } = await import("../buildkit/gen/grpc/health/v1/health_pb.js");
    expect(await createClient(Health, transport).check({})).toMatchObject({ status: 1 });
  });
});

test("an answer that is complete before its question is known to be out is no error", async () => {
  const { ours } = plainServer((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
    stream.resume();
  });
  const late: (() => void)[] = [];
  const slow = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, callback) {
      ours.write(chunk);
      late.push(callback);
      if (late.length === 1) callback();
    },
    final: (callback) => void ours.end(callback),
  });
  ours.on("data", (chunk: Buffer) => slow.push(chunk));
  ours.once("end", () => slow.push(null));
  const sessionManager = (await open(slow)).sessionManager();
  const transport = transportOver(sessionManager);
  const { Health } = await import("../buildkit/gen/grpc/health/v1/health_pb.js");
  expect(await createClient(Health, transport).check({})).toMatchObject({ status: 1 });
});

test("who still writes when the answer is complete does not wait for it to be read", async () => {
  const { ours } = plainServer((stream) => {
    stream.respond({ ":status": 200 });
    // As grpc-go does to a client that has not ended its direction.
    stream.end("all", () => setImmediate(() => stream.close(http2.constants.NGHTTP2_NO_ERROR)));
  });
  const client = await open(ours);
  const stream = client.request({ ":path": "/a.B/C" });
  // More than the peer's window takes, which it does not read.
  const written = new Promise((resolve) => stream.write(Buffer.alloc(1_000_000), resolve));
  await written;
  expect(String(await once(stream, "data"))).toBe("all");
});

describe("FLT-6 keep-alive", () => {
  const keepAlive = { idleMilliseconds: 15_000, timeoutMilliseconds: 60_000 };

  /** A server whose bytes can be held back, and a count of its PINGs. */
  async function watched() {
    let pings = 0;
    const { ours, theirs, session } = plainServer((stream) => stream.respond({ ":status": 200 }));
    session.on("ping", () => pings++);
    const client = await open(ours);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const stream = request(client, { keepAlive });
    await once(stream, "response");
    // Acknowledgements of settings count as bytes too, and may still be under way.
    await turns();
    return { client, stream, theirs, session, pings: () => pings };
  }

  test("no PING as long as bytes come, one after 15 s without, and its answer counts", async () => {
    const { client, session, pings } = await watched();
    vi.advanceTimersByTime(15_000);
    expect(pings()).toBe(0);
    vi.advanceTimersByTime(15_000);
    await expect.poll(pings).toBe(1);
    await new Promise<void>((resolve) => session.ping(() => resolve()));
    vi.advanceTimersByTime(60_000);
    await turns();
    expect(client.failure()).toBeUndefined();
  });

  test("a builder that does not answer for 60 s is not responding", async () => {
    const { client, stream, theirs } = await watched();
    theirs.pause();
    theirs.removeAllListeners("data");
    vi.advanceTimersByTime(30_000);
    await turns();
    vi.advanceTimersByTime(60_000);
    await closed(stream);
    await client.closed;
    expect(client.failure()).toMatchObject({ code: "HTTP2_NOT_RESPONDING" });
    expect(client.failure()?.message).toContain("builder not responding");
  });

  test("nothing is watched once the stream is closed", async () => {
    const { stream } = await watched();
    stream.close();
    await closed(stream);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("over a socket of its own, for payload", () => {
  let server: Server;
  let accepted: Socket;

  beforeEach(async () => {
    server = createServer((socket) => {
      accepted = socket;
      const session = http2.performServerHandshake(socket);
      session.on("error", () => {});
      session.on("stream", (stream: http2.ServerHttp2Stream) => {
        stream.on("error", () => {});
        stream.respond({ ":status": 200 });
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanUps.push(async () => {
      accepted.destroy();
      server.close();
      await once(server, "close");
    });
  });

  async function dial() {
    const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  }

  test("the reason of a lost connection is known as well", async () => {
    const client = await open(await dial());
    const stream = request(client);
    await once(stream, "response");
    accepted.resetAndDestroy();
    await closed(stream);
    await client.closed;
    expect(client.failure()).toMatchObject({ code: "HTTP2_LOST", cause: { code: "ECONNRESET" } });
  });

  test("a socket that may be half open is closed when the peer ends it", async () => {
    const socket = connect({
      port: (server.address() as { port: number }).port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    await once(socket, "connect");
    const client = await open(socket);
    const stream = request(client);
    await once(stream, "response");
    accepted.end();
    await closed(stream);
    await client.closed;
    expect(client.failure()).toMatchObject({ code: "HTTP2_LOST" });
  });

  test("closing it leaves no handle", async () => {
    const socket = await dial();
    const client = await open(socket);
    client.close();
    await client.closed;
    expect(socket.destroyed).toBe(true);
  });
});

/** Lets everything that can still move do so. */
async function turns() {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Unlike `once`, does not mind an error before. */
function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}
