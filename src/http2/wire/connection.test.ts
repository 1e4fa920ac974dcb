import { duplexPair, type Duplex } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { http2Frame } from "../../../test/support/http2-frame.js";
import { nextTurn } from "../../core/index.js";
import { preface } from "./codes.js";
import { Connection } from "./connection.js";
import { encodeHeaders } from "./header-encoder.js";
import type { StreamHandler, WireStream } from "./wire-stream.js";

const windows = { stream: 100_000, connection: 150_000 };
const opened: { connection: Connection; ends: Duplex[] }[] = [];

afterEach(async () => {
  for (const { connection, ends } of opened.splice(0)) {
    for (const end of ends) end.destroy();
    await connection.closed;
  }
});

const frame = (type: number, flags: number, stream: number, payload: Buffer | string = "") =>
  http2Frame(type, flags, stream, typeof payload === "string" ? Buffer.from(payload, "hex") : payload);

const settings = frame(4, 0, 0);
const call = (stream: number, flags = 4) => frame(1, flags, stream, encodeHeaders([":path", "/a.B/C"]));

function handler(told: Partial<StreamHandler> = {}): StreamHandler {
  const nothing = () => {};
  return {
    onHeaders: nothing,
    onTrailers: nothing,
    onData: nothing,
    onEnd: nothing,
    onLocalEnd: nothing,
    onClose: nothing,
    ...told,
  };
}

/** A server, and the peer that it has. */
function server(
  onStream: (stream: WireStream, list: string[]) => void = (stream) => (stream.handler = handler()),
) {
  const [ours, peer] = duplexPair();
  const connection = new Connection(ours, { windows, headerBytes: 1_000_000, onStream });
  opened.push({ connection, ends: [ours, peer] });
  const received: Buffer[] = [];
  peer.on("data", (chunk: Buffer) => received.push(chunk));
  return { connection, peer, received: () => Buffer.concat(received) };
}

function client() {
  const [ours, peer] = duplexPair();
  const connection = new Connection(ours, { windows, headerBytes: 1_000_000 });
  opened.push({ connection, ends: [ours, peer] });
  peer.resume();
  return { connection, peer };
}

/** The frames of some type among what was received, as hexadecimal payloads. */
function payloads(bytes: Buffer, type: number): string[] {
  const found: string[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (bytes[at + 3] === type) found.push(bytes.toString("hex", at + 9, end));
    at = end;
  }
  return found;
}

describe("SEC-28 a peer that breaks the rules ends the connection, with the code of RFC 9113", () => {
  const long = Buffer.alloc(100);
  const data = (stream: number, length: number) => frame(0, 0, stream, Buffer.alloc(length));
  test.each<[string, Buffer[], number]>([
    ["another first frame", [frame(6, 0, 0, "0000000000000000")], 1],
    ["a frame that is too long", [settings, frame(8, 0, 0, Buffer.alloc(16_385))], 6],
    ["settings on a stream", [settings, frame(4, 0, 1)], 1],
    ["settings that are cut off", [frame(4, 0, 0, "0001")], 6],
    ["an acknowledgement with settings", [settings, frame(4, 1, 0, "000100000000")], 6],
    ["a window of 2 GiB", [frame(4, 0, 0, "000480000000")], 3],
    ["frames of 1 byte", [frame(4, 0, 0, "000500000001")], 1],
    ["data for no stream", [settings, data(0, 1)], 1],
    ["data for a stream that is not open", [settings, data(1, 1)], 1],
    ["data behind the end", [settings, call(1, 5), data(1, 1)], 5],
    [
      "more data than the stream's window",
      [settings, call(1), ...Array.from({ length: 7 }, () => data(1, 16_000))],
      3,
    ],
    ["headers of another stream within headers", [settings, call(1, 0), call(3)], 1],
    ["data within headers", [settings, call(1, 0), data(1, 1)], 1],
    ["a continuation of nothing", [settings, frame(9, 4, 1)], 1],
    ["a continuation of another stream", [settings, call(1, 0), frame(9, 4, 3)], 1],
    ["headers for no stream", [settings, call(0)], 1],
    ["headers on a stream of ours", [settings, call(2)], 1],
    ["headers that cannot be decompressed", [settings, frame(1, 4, 1, "80")], 9],
    ["more padding than bytes", [settings, frame(1, 12, 1, "05828684")], 1],
    ["a stream that is pushed", [settings, call(1), frame(5, 4, 1, "00000002")], 1],
    ["a ping of 4 bytes", [settings, frame(6, 0, 0, "00000000")], 6],
    ["a window update of 3 bytes", [settings, frame(8, 0, 0, "000001")], 6],
    ["a window that opens by nothing", [settings, frame(8, 0, 0, "00000000")], 1],
    ["a window that opens too far", [settings, frame(8, 0, 0, "7fffffff")], 3],
    ["a window of a stream that is not open", [settings, frame(8, 0, 5, "00000001")], 1],
    ["a reset of a stream that is not open", [settings, frame(3, 0, 5, "00000008")], 1],
    ["a GOAWAY that is cut off", [settings, frame(7, 0, 0, "00000000")], 6],
    ["another protocol", [long], 1],
  ])("%s", async (_, frames, code) => {
    const { connection, peer, received } = server((stream) => {
      stream.handler = handler();
      stream.pause();
    });
    const isOther = frames[0] === long;
    peer.write(Buffer.concat(isOther ? frames : [preface, ...frames]));
    expect(await connection.closed).toMatchObject({ code: "HTTP2_PROTOCOL", errorCode: code });
    await nextTurn();
    expect(payloads(received(), 7).map((payload) => Number.parseInt(payload.slice(8, 16), 16))).toEqual([
      code,
    ]);
  });

  test.each<[string, Buffer[], string]>([
    ["a name in upper case", [settings, frame(1, 4, 1, encodeHeaders(["X-Name", "v"]))], "00000001"],
    ["a value with a line break", [settings, frame(1, 4, 1, encodeHeaders(["x-name", "a\nb"]))], "00000001"],
    ["more headers than are taken", [settings, ...headersOf(1_100_000)], "0000000b"],
    ["headers in the middle", [settings, call(1), call(1)], "00000001"],
    ["a stream's window that opens by nothing", [settings, call(1), frame(8, 0, 1, "00000000")], "00000001"],
    ["a stream's window that opens too far", [settings, call(1), frame(8, 0, 1, "7fffffff")], "00000003"],
  ])("and %s its stream only", async (_, frames, code) => {
    const { connection, peer, received } = server();
    peer.write(Buffer.concat([preface, ...frames]));
    await expect.poll(() => payloads(received(), 3)).toEqual([code]);
    expect(connection.failure()).toBeUndefined();
  });

  test("unknown frames, settings and priorities are passed over", async () => {
    const { connection, peer, received } = server();
    const frames = [frame(4, 0, 0, "00ff00000001"), frame(0xfa, 0xff, 9, "00"), frame(2, 0, 1, "0000000000")];
    peer.write(Buffer.concat([preface, ...frames, frame(6, 0, 0, "0102030405060708")]));
    await expect.poll(() => payloads(received(), 6)).toEqual(["0102030405060708"]);
    expect(connection.failure()).toBeUndefined();
  });
});

/** A HEADERS frame and its CONTINUATION frames, of so many bytes: of an entry and references to it. */
function headersOf(bytes: number): Buffer[] {
  const value = Buffer.alloc(3_900, "v");
  const first = Buffer.concat([Buffer.of(0x40, 1, 120, 0x7f, 0xbd, 0x1d), value]);
  return [frame(1, 0, 1, first), frame(9, 4, 1, Buffer.alloc(Math.ceil(bytes / 3_900), 0xbe))];
}

describe("SEC-68 a peer that only makes work", () => {
  test("calls that are cancelled at once end the connection (CVE-2023-44487)", async () => {
    let calls = 0;
    const { connection, peer } = server((stream) => {
      calls++;
      stream.handler = handler();
    });
    peer.write(Buffer.concat([preface, settings]));
    for (let stream = 1; stream < 6_000; stream += 2)
      peer.write(Buffer.concat([call(stream), frame(3, 0, stream, "00000008")]));
    expect(await connection.closed).toMatchObject({ code: "HTTP2_PROTOCOL", errorCode: 11 });
    expect(calls).toBeLessThan(1_500);
  });

  test("answers that nobody reads end the connection", async () => {
    const [ours, peer] = duplexPair();
    const connection = new Connection(ours, { windows, headerBytes: 1_000, onStream: () => {} });
    opened.push({ connection, ends: [ours, peer] });
    peer.write(Buffer.concat([preface, settings]));
    const pings = Buffer.concat(Array.from({ length: 10_000 }, () => frame(6, 0, 0, "0000000000000000")));
    for (let round = 0; round < 50 && !connection.failure(); round++) {
      peer.write(pings);
      await nextTurn();
    }
    expect(await connection.closed).toMatchObject({ code: "HTTP2_PROTOCOL", errorCode: 11 });
  });

  test("headers in more frames than anyone needs", async () => {
    const { connection, peer } = server();
    peer.write(Buffer.concat([preface, settings, call(1, 0)]));
    peer.write(Buffer.concat(Array.from({ length: 9_000 }, () => frame(9, 0, 1))));
    expect(await connection.closed).toMatchObject({ code: "HTTP2_HEADERS_TOO_LARGE" });
  });

  test("more calls at once than are taken are refused", async () => {
    const { connection, peer, received } = server();
    peer.write(
      Buffer.concat([preface, settings, ...Array.from({ length: 1_003 }, (_, at) => call(2 * at + 1))]),
    );
    await expect.poll(() => payloads(received(), 3)).toEqual(["00000007", "00000007", "00000007"]);
    expect(connection.failure()).toBeUndefined();
  });
});

describe("a client", () => {
  test("opens no more streams than the peer takes, and the others when there is room", async () => {
    const { connection, peer } = client();
    const received: Buffer[] = [];
    peer.on("data", (chunk: Buffer) => received.push(chunk));
    peer.write(frame(4, 0, 0, "000300000002"));
    await connection.ready;
    const closed: string[] = [];
    const open = (name: string) =>
      connection.open([":path", name], handler({ onClose: (code) => closed.push(`${name} ${code}`) }));
    const [first, , third] = [open("/a"), open("/b"), open("/c"), open("/d")];
    const heads = () => payloads(Buffer.concat(received).subarray(preface.length), 1).length;
    await expect.poll(heads).toBe(2);
    third?.reset(8);
    first?.reset(8);
    await expect.poll(heads).toBe(3);
    expect(closed).toEqual(["/c 8", "/a 8"]);
    peer.write(frame(7, 0, 0, "0000000300000000"));
    await expect.poll(() => closed).toEqual(["/c 8", "/a 8", "/d 7"]);
    expect(connection.refusal()).toMatchObject({ code: "HTTP2_GOAWAY" });
  });

  test("does not send what the windows do not take, and goes on when they open", async () => {
    const { connection, peer } = client();
    const received: Buffer[] = [];
    peer.on("data", (chunk: Buffer) => received.push(chunk));
    // Ten bytes a stream.
    peer.write(frame(4, 0, 0, "00040000000a"));
    await connection.ready;
    let out = 0;
    const stream = connection.open([":path", "/a"], handler());
    stream.write(
      [Buffer.from("0123456789"), Buffer.alloc(0), Buffer.from("abcdef"), Buffer.alloc(0)],
      () => out++,
    );
    stream.end();
    const data = () =>
      payloads(Buffer.concat(received).subarray(preface.length), 0).map((each) =>
        String(Buffer.from(each, "hex")),
      );
    await expect.poll(data).toEqual(["0123456789"]);
    // Smaller than what is used up: below zero.
    peer.write(frame(4, 0, 0, "000400000002"));
    peer.write(frame(8, 0, 1, "00000009"));
    await expect.poll(data).toEqual(["0123456789", "a"]);
    expect(out).toBe(0);
    peer.write(frame(8, 0, 1, "00001000"));
    await expect.poll(data).toEqual(["0123456789", "a", "bcdef"]);
    await expect.poll(() => out).toBe(1);
  });

  test("answers that are left unread do not use up the connection's window", async () => {
    const { connection, peer } = client();
    peer.write(settings);
    await connection.ready;
    const piece = Buffer.alloc(16_000);
    for (let stream = 1; stream < 1_600; stream += 2) {
      const opened = connection.open([":path", "/a"], handler());
      opened.pause();
      await nextTurn();
      const pieces = Array.from({ length: 6 }, (_, at) => frame(0, at === 5 ? 1 : 0, stream, piece));
      const answer = Buffer.concat([frame(1, 4, stream, encodeHeaders([":status", "200"])), ...pieces]);
      await new Promise((resolve) => peer.write(answer, resolve));
      // Every other one when it is over as well, and not only come.
      if (stream % 4 === 1) opened.end();
      opened.reset(8);
      expect(connection.failure()).toBeUndefined();
    }
  });

  test("interim answers are passed over", async () => {
    const { connection, peer } = client();
    peer.write(settings);
    await connection.ready;
    const told: unknown[] = [];
    connection.open(
      [":path", "/a"],
      handler({ onHeaders: (list) => told.push(list), onTrailers: (list) => told.push(list) }),
    );
    await nextTurn();
    peer.write(frame(1, 4, 1, encodeHeaders([":status", "103"])));
    peer.write(frame(1, 4, 1, encodeHeaders([":status", "200"])));
    peer.write(frame(1, 5, 1, encodeHeaders(["grpc-status", "0"])));
    await expect
      .poll(() => told)
      .toEqual([
        [":status", "200"],
        ["grpc-status", "0"],
      ]);
  });

  test("an answer that has come whole is read though the connection ends behind it", async () => {
    const { connection, peer } = client();
    peer.write(settings);
    await connection.ready;
    const told: string[] = [];
    const stream = connection.open(
      [":path", "/a"],
      handler({
        onData: (bytes) => told.push(String(bytes)),
        onEnd: () => told.push("end"),
        onClose: (code) => told.push(`closed ${code}`),
      }),
    );
    stream.pause();
    await nextTurn();
    peer.write(frame(1, 4, 1, encodeHeaders([":status", "200"])));
    peer.write(frame(0, 1, 1, Buffer.from("all")));
    peer.end();
    expect(await connection.closed).toMatchObject({ code: "HTTP2_LOST" });
    stream.resume();
    expect(told).toEqual(["closed 8", "all", "end"]);
  });
});
