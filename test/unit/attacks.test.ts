import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { control } from "../../src/buildkit/index.js";
import { create, toBinary } from "@bufbuild/protobuf";
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
              .call("/moby.filesync.v1.FileSync/DiffCopy", { "exclude-patterns": header })
              .then((call) => call.status),
          ),
        );
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
