import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http2";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { control } from "../../src/buildkit/index.js";
import { create, toBinary } from "@bufbuild/protobuf";
import { frameMessage } from "../../src/http2/index.js";
import type { FakeSession } from "../support/fake-buildkitd.js";
import { errPacket, goMode, statPacket } from "../support/fsutil-sender.js";
import { http2Frame } from "../support/http2-frame.js";
import { type Attack, bytesField, mostMebibytes, runAttack } from "../support/attack.js";

const mebibyte = 1 << 20;
/** Just below the largest message that is taken. */
const largest = 15 * mebibyte;

/** That many times the same field, empty. */
const empties = (field: number) => Buffer.alloc(largest, Buffer.from([(field << 3) | 2, 0]));
/** A field that nobody knows, as ballast. */
const ballast = bytesField(99, Buffer.alloc(largest - mebibyte));

function* times(count: number, message: (at: number) => Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < count; at++) yield message(at);
}

type StatusInit = NonNullable<Parameters<typeof create<typeof control.StatusResponseSchema>>[1]>;
const status = (init: StatusInit) =>
  toBinary(control.StatusResponseSchema, create(control.StatusResponseSchema, init));
const digestOf = (content: Uint8Array | string) =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`;
const time = { seconds: 1_700_000_000n, nanos: 0 };
const list = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));
const vertex = (at: number, name = "RUN true") => ({ digest: digestOf(String(at)), name, started: time });

/** A build whose provenance is this text. */
function provenance(text: string): Attack {
  const digest = digestOf(text);
  const annotations = { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" };
  const Attestations = [{ mediaType: "application/vnd.in-toto+json", digest, size: 1n, annotations }];
  const event = create(control.BuildHistoryEventSchema, { record: { Result: { Attestations } } });
  return {
    use: "provenance",
    blobs: new Map([[digest, Buffer.from(text)]]),
    history: () => [toBinary(control.BuildHistoryEventSchema, event)],
  };
}

/** Manifests of 4 MB each, and an index of them. */
function manifests(count: number): Attack {
  const blobs = new Map<string, Buffer>();
  const entries = list(count, (at) => {
    const content = Buffer.from(JSON.stringify({ schemaVersion: 2, at, filler: "x".repeat(4_000_000) }));
    blobs.set(digestOf(content), content);
    const platform = { os: "linux", architecture: `a${at}` };
    return {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: digestOf(content),
      size: content.length,
      platform,
    };
  });
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: entries }));
  // The first is what is asked for.
  return { use: "image", blobs: new Map([[digestOf(index), index], ...blobs]) };
}

const historyEvent = (
  record: NonNullable<Parameters<typeof create<typeof control.BuildHistoryRecordSchema>>[1]>,
) => toBinary(control.BuildHistoryEventSchema, create(control.BuildHistoryEventSchema, { type: 1, record }));

function trace(content: Buffer): Attack {
  const trace = { mediaType: "application/vnd.buildkit.otlp.json.v0", digest: digestOf(content), size: 1n };
  return {
    use: "trace",
    blobs: new Map([[trace.digest, content]]),
    history: () => [historyEvent({ Ref: "a", CreatedAt: time, CompletedAt: time, trace })],
  };
}

/** An export of that many empty files, in directories of a thousand. */
async function* listing(count: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < count; at++) {
    const dir = String(Math.floor(at / 1000)).padStart(6, "0");
    if (at % 1000 === 0) yield statPacket({ path: dir, mode: goMode.directory | 0o755 });
    yield statPacket({
      path: `${dir}/${String(at).padStart(8, "0")}${"n".repeat(180)}`,
      mode: 0o644,
      size: 1,
    });
  }
  yield statPacket();
  // The files stay open requests until then.
  yield errPacket("enough");
}

/** Sends what the generator gives, as fast as it is taken, until the call is over. */
async function feed(session: FakeSession, packets: AsyncGenerator<Buffer>): Promise<string> {
  const call = await session.call("/moby.filesync.v1.FileSend/DiffCopy");
  let over = false;
  void call.status.then(() => (over = true));
  call.stream.on("error", () => {});
  let batch: Buffer[] = [];
  for await (const packet of packets) {
    batch.push(frameMessage(packet));
    if (batch.length < 500) continue;
    if (over || call.stream.destroyed) break;
    if (!call.stream.write(Buffer.concat(batch)))
      await Promise.race([once(call.stream, "drain"), call.status]);
    batch = [];
  }
  if (!over && !call.stream.destroyed) call.stream.write(Buffer.concat(batch));
  return (await call.status).message;
}

/** A daemon that answers each call with 15 MB of headers. */
function headersOnly(socket: Socket): void {
  const server = createServer({ maxSendHeaderBlockLength: 32 * mebibyte });
  const value = "v".repeat(3_800);
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    const fields = Object.fromEntries(list(4_000, (at) => [`x-${at}`, value]));
    stream.respond({ ":status": 200, "content-type": "application/grpc", ...fields });
  });
  server.on("session", (session) => session.on("error", () => {}));
  server.on("sessionError", () => {});
  server.emit("connection", socket);
}

/** A header block of a name and value, and that many times again by their index (RFC 7541): a byte for each. */
function headerBomb(socket: Socket): void {
  socket.write(http2Frame(4, 0, 0, Buffer.alloc(0)));
  socket.once("data", () => {
    const value = Buffer.alloc(3_900, 118);
    // :status 200, then `x: vvv…` with incremental indexing, of which 62 is the index then.
    const first = Buffer.concat([Buffer.of(0x88, 0x40, 1, 120, 0x7f, 0xbd, 0x1d), value]);
    socket.write(http2Frame(1, 0, 1, first));
    const piece = Buffer.alloc(16_000, 0xbe);
    for (let at = 0; at < 1_000; at++) socket.write(http2Frame(9, at === 999 ? 4 : 0, 1, piece));
  });
}

/** Each attack, and the error that it is to end with: none where what came is no reason to fail. */
const attacks: Record<string, [Attack, RegExp | undefined]> = {
  "empty vertices": [
    { status: () => [empties(1)] },
    /^BUILDKIT_LIMIT: .*250000 parts in one answer to Status/,
  ],
  "empty logs": [{ status: () => [empties(3)] }, /^BUILDKIT_LIMIT/],
  "empty inputs of a vertex": [{ status: () => [bytesField(1, empties(2))] }, /^BUILDKIT_LIMIT/],
  "fields nobody knows": [{ status: () => [empties(99)] }, /^BUILDKIT_LIMIT/],
  "vertices without end": [
    {
      status: () =>
        times(300, (at) => status({ vertexes: list(1000, (inner) => vertex(at * 1000 + inner)) })),
    },
    /^BUILD_TOO_LARGE: .*50000 steps/,
  ],
  "names of vertices": [
    { status: () => times(100, (at) => status({ vertexes: [vertex(at, "x".repeat(14 * mebibyte))] })) },
    /^BUILD_TOO_LARGE: .*bytes of names/,
  ],
  "lines of progress without end": [
    {
      status: () =>
        times(400, (at) =>
          status({
            vertexes: [vertex(0)],
            statuses: list(2000, (inner) => ({
              ID: `${at}-${inner}`,
              vertex: vertex(0).digest,
              started: time,
            })),
          }),
        ),
    },
    /^BUILD_TOO_LARGE: .*200000 lines of progress/,
  ],
  "warnings of large texts": [
    {
      status: () =>
        times(200, (at) =>
          status({
            vertexes: [vertex(0)],
            warnings: [
              { vertex: vertex(0).digest, short: Buffer.alloc(mebibyte, 97), url: `https://a/${at}` },
            ],
          }),
        ),
    },
    /^BUILD_TOO_LARGE: .*names and warnings/,
  ],
  "logs as small parts of large messages": [
    {
      // Then too many steps, so that it ends with an error.
      status: function* () {
        yield* times(45, (at) =>
          Buffer.concat([
            status({
              vertexes: [vertex(at)],
              logs: [{ vertex: vertex(at).digest, stream: 1n, msg: Buffer.from("x"), timestamp: time }],
            }),
            ballast,
          ]),
        );
        yield* times(60, (at) => status({ vertexes: list(1000, (inner) => vertex(at * 1000 + inner)) }));
      },
    },
    /^BUILD_TOO_LARGE: .*50000 steps/,
  ],
  "keys of the response": [{ solve: empties(1) }, /^BUILDKIT_LIMIT: .*answer to Solve/],
  workers: [{ use: "workers", workers: empties(1) }, /^BUILDKIT_LIMIT: .*answer to ListWorkers/],
  "rows of disk usage": [{ use: "du", diskUsage: empties(1) }, /^BUILDKIT_LIMIT: .*answer to DiskUsage/],
  "rows of disk usage with large texts": [
    {
      use: "du",
      diskUsage: toBinary(
        control.DiskUsageResponseSchema,
        create(control.DiskUsageResponseSchema, {
          record: list(14, (at) => ({ ID: `r${at}`, Description: "x".repeat(mebibyte) })),
        }),
      ),
    },
    undefined,
  ],
  "records of the history without end": [
    {
      use: "records",
      history: () => times(1_000_000, (at) => historyEvent({ Ref: `r${at}`, CreatedAt: time })),
    },
    /^HISTORY_TOO_LARGE: .*20000 records/,
  ],
  "large records of the history": [
    {
      use: "records",
      history: () =>
        times(500, (at) => historyEvent({ Ref: `r${at}`, FrontendAttrs: { a: "x".repeat(mebibyte) } })),
    },
    /^HISTORY_TOO_LARGE: .*bytes/,
  ],
  "records without end while all are removed": [
    {
      use: "remove",
      history: () => times(1_000_000, (at) => historyEvent({ Ref: `r${at}`, CreatedAt: time })),
    },
    /^HISTORY_TOO_LARGE/,
  ],
  "empty records of the history": [
    { use: "records", history: () => [bytesField(2, empties(9))] },
    /^BUILDKIT_LIMIT/,
  ],
  "a trace of 200 MB": [trace(Buffer.alloc(200 << 20, "{}")), /^CONTENT_TOO_LARGE/],
  "a trace of empty spans": [trace(Buffer.alloc(30 << 20, "{}")), /^HISTORY_MISSING: .*3000000 values/],
  "a trace of few, but large lists": [
    trace(Buffer.from(`{"a":[${"{},".repeat(400_000)}1]}`.repeat(3))),
    undefined,
  ],
  "150 manifests of 4 MB": [manifests(150), undefined],
  "large headers of many answers": [
    { use: "reads", serve: headersOnly },
    /^BUILDKIT_PROTOCOL: the answer has more headers than are taken/,
  ],
  "headers that are told by their index": [
    { use: "reads", serve: headerBomb },
    /^BUILDKIT_PROTOCOL: the answer has more headers than are taken/,
  ],
  "an export of very many small files": [
    {
      use: "export",
      session: async (session) => {
        await feed(session, listing(60_000));
      },
    },
    /^SESSION_EXPORT_REMOTE: .*enough/,
  ],
  "provenance of empty values": [provenance(`{"a":[${"{},".repeat(5_000_000)}1]}`), undefined],
  "provenance nested 200,000 deep": [
    provenance(`{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`),
    undefined,
  ],
  "a response nested 200,000 deep": [
    {
      solve: bytesField(
        1,
        Buffer.concat([
          bytesField(1, "a"),
          bytesField(2, Buffer.from(`{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`).toString("base64")),
        ]),
      ),
    },
    undefined,
  ],
  "hosts of credentials": [
    {
      session: async (session) => {
        for (let at = 0; at < 1100; at++)
          await session.unary("/moby.filesync.v1.Auth/Credentials", bytesField(1, `host-${at}.example`));
        const { status: last } = await session.unary(
          "/moby.filesync.v1.Auth/Credentials",
          bytesField(1, "x".repeat(mebibyte)),
        );
        expect(last.message).toMatch(/1048576 characters|more than 1000 hosts/);
        throw new Error(`refused: ${last.message}`);
      },
    },
    /refused: /,
  ],
  "large headers of many calls": [
    {
      session: async (session) => {
        const header = list(200, () => "x".repeat(60_000));
        await Promise.all(
          list(40, () =>
            session
              .call("/moby.filesync.v1.FileSync/DiffCopy", {
                "dir-name": ["context"],
                "exclude-patterns": header,
              })
              .then((call) => call.status),
          ),
        );
        // An answer at this moment would be taken: it is for the client to see that its session is over.
        await new Promise(() => {});
      },
    },
    /HEADERS_TOO_LARGE|SESSION_LOST.*bytes of headers/,
  ],
};

describe("SEC-68 no daemon makes slipway grow without bound", () => {
  test.each(Object.keys(attacks))("%s", { timeout: 120_000 }, async (name) => {
    const [attack, expected] = attacks[name] as [Attack, RegExp | undefined];
    const { code, message, peakMebibytes } = await runAttack(attack);
    if (expected === undefined) expect(`${code}${message}`).toBe("");
    else expect(`${code}: ${message}`).toMatch(expected);
    expect(peakMebibytes).toBeLessThan(mostMebibytes);
  });
});
