import { createHash, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuildkitClient, pb } from "../../src/buildkit/index.js";
import { type ServerCall, grpcCodes } from "../../src/http2/index.js";
import { type Attachable, Session, SessionError, upload } from "../../src/session/index.js";
import { type RealBuildkitd, realBuildkitd } from "../support/real-buildkitd.js";

let daemon: RealBuildkitd;
let client: BuildkitClient;

beforeAll(async () => {
  daemon = await realBuildkitd();
  client = await daemon.connect();
});

afterAll(async () => {
  await client?.close();
  await daemon?.[Symbol.asyncDispose]();
});

/** A graph that is one source. */
function source(
  identifier: string,
  attrs: Record<string, string>,
): MessageInitShape<typeof pb.DefinitionSchema> {
  const marshal = (op: MessageInitShape<typeof pb.OpSchema>) =>
    toBinary(pb.OpSchema, create(pb.OpSchema, op));
  const op = marshal({ op: { case: "source", value: { identifier, attrs } } });
  const digest = `sha256:${createHash("sha256").update(op).digest("hex")}`;
  return { def: [op, marshal({ inputs: [{ digest, index: 0n }] })], metadata: { [digest]: {} } };
}

async function solve(definition: MessageInitShape<typeof pb.DefinitionSchema>, attachables: Attachable[]) {
  await using session = await Session.open(client, { attachables, sharedKey: randomUUID() });
  return await client.control.solve({ Ref: randomUUID(), Session: session.id, Definition: definition });
}

/** Serves local directories by noting what is asked for, and refusing it. */
function refusing(calls: ServerCall[]): Attachable {
  return {
    methods: ["/moby.filesync.v1.FileSync/DiffCopy"],
    async handle(call) {
      calls.push(call);
      throw new SessionError("SESSION_NOT_FOUND", "no “context” 100% here", { grpcCode: grpcCodes.notFound });
    },
  };
}

test("FLT-75 buildkitd's 20,000 exclude patterns arrive apart and in order", async () => {
  const patterns = Array.from({ length: 20_000 }, (_, index) => `dir/a, b/${index}`);
  const calls: ServerCall[] = [];
  const solved = solve(source("local://context", { "local.excludepatterns": JSON.stringify(patterns) }), [
    refusing(calls),
  ]);
  await expect(solved).rejects.toThrow("no “context” 100% here");
  expect(calls[0]?.headerValues("dir-name")).toEqual(["context"]);
  expect(calls[0]?.headerValues("exclude-patterns")).toEqual(patterns);
});

test("an upload is pulled once, whole", async () => {
  const content = Buffer.alloc(5_000_000, "0123456789");
  const id = randomUUID().replaceAll("-", "");
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  const definition = source(`http://buildkit-session/${id}`, { "http.checksum": digest });
  const chunks = [content.subarray(0, 10), content.subarray(10, 2_500_000), content.subarray(2_500_000)];
  await solve(definition, [upload(new Map([[id, Readable.from(chunks)]]))]);
});

test("a session can be closed at once, and several live side by side", async () => {
  const sessions = await Promise.all(
    Array.from({ length: 5 }, () => Session.open(client, { attachables: [], sharedKey: "" })),
  );
  const closed = await Promise.all(sessions.map(async (session) => (await session.close(), session.closed)));
  expect(closed).toEqual(sessions.map(() => undefined));
});
