import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DescMessage, type MessageInitShape, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeServerCall } from "../../../test/support/server-call.js";
import { content as wire } from "../../buildkit/index.js";
import { statusOf } from "../../http2/index.js";
import { content } from "./content-service.js";
import { ContentStore } from "./content-store.js";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-content-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const digestOf = (data: Uint8Array) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

async function addBlob(data: Buffer): Promise<string> {
  const digest = digestOf(data);
  await mkdir(join(root, "blobs/sha256"), { recursive: true });
  await writeFile(join(root, "blobs/sha256", digest.slice(7)), data);
  return digest;
}

interface Outcome {
  code: number;
  message: string;
  sent: Buffer[];
}

/** Makes one call on a store with the id "s", sending the messages given. */
async function run<Desc extends DescMessage>(
  store: ContentStore,
  method: string,
  desc: Desc,
  messages: MessageInitShape<Desc>[],
  storeId = "s",
): Promise<Outcome> {
  const call = new FakeServerCall(`/containerd.services.content.v1.Content/${method}`, [
    ["buildkit-attachable-store-id", storeId],
  ]);
  for (const message of messages) call.send(toBinary(desc, create(desc, message)));
  call.endInput();
  const status = await content(new Map([["s", store]]))
    .handle(call)
    .then(
      () => call.status ?? { code: 0 },
      (error: unknown) => statusOf(error),
    );
  return { code: status.code, message: status.message ?? "", sent: call.sent };
}

const write = (store: ContentStore, messages: MessageInitShape<typeof wire.WriteContentRequestSchema>[]) =>
  run(store, "Write", wire.WriteContentRequestSchema, messages);
const { STAT, WRITE, COMMIT } = wire.WriteAction;

async function readBlob(store: ContentStore, digest: string, offset = 0, size = 0) {
  const outcome = await run(store, "Read", wire.ReadContentRequestSchema, [
    { digest, offset: BigInt(offset), size: BigInt(size) },
  ]);
  const parts = outcome.sent.map((message) => fromBinary(wire.ReadContentResponseSchema, message));
  return { ...outcome, parts, data: Buffer.concat(parts.map(({ data }) => data)) };
}

describe("choosing a store", () => {
  it("needs an id that is known", async () => {
    const store = new ContentStore(root);
    const request = [{ digest: digestOf(Buffer.from("x")) }];
    expect((await run(store, "Info", wire.InfoRequestSchema, request, "other")).code).toBe(5);
    expect((await run(store, "Info", wire.InfoRequestSchema, request, "")).code).toBe(3);
  });
});

describe("reading", () => {
  it("gives size, and content from any offset in chunks with their offsets", async () => {
    const data = randomBytes(2_500_000);
    const digest = await addBlob(data);
    const store = new ContentStore(root);
    const info = await run(store, "info", wire.InfoRequestSchema, [{ digest }]);
    expect(fromBinary(wire.InfoResponseSchema, info.sent[0] as Buffer).info?.size).toBe(2_500_000n);
    const all = await readBlob(store, digest);
    expect(all.data.equals(data)).toBe(true);
    expect(all.parts.map(({ offset }) => Number(offset))).toEqual([0, 1_048_576, 2_097_152]);
    expect((await readBlob(store, digest, 1000, 10)).data.equals(data.subarray(1000, 1010))).toBe(true);
    expect((await readBlob(store, digest, 2_500_000)).data.length).toBe(0);
    expect((await readBlob(store, digest, 2_500_001)).code).toBe(11);
    // BuildKit reads in steps of 1 MiB, the last of which goes beyond the end.
    expect((await readBlob(store, digest, 2_000_000, 1_048_576)).data.equals(data.subarray(2_000_000))).toBe(
      true,
    );
  });

  it("lists blobs", async () => {
    const digests = [await addBlob(Buffer.from("a")), await addBlob(Buffer.from("b"))].sort();
    const { sent } = await run(new ContentStore(root), "List", wire.ListContentRequestSchema, [{}]);
    const listed = sent.flatMap((message) => fromBinary(wire.ListContentResponseSchema, message).info);
    expect(listed.map(({ digest }) => digest).sort()).toEqual(digests);
  });

  it("a missing blob is NotFound, what is no digest InvalidArgument", async () => {
    const store = new ContentStore(root);
    expect((await readBlob(store, digestOf(Buffer.from("none")))).code).toBe(5);
    for (const digest of [
      "",
      "sha256:..",
      `sha256:${"../".repeat(21)}x`,
      `md5:${"0".repeat(32)}`,
      "sha256:" + "A".repeat(64),
    ]) {
      expect((await readBlob(store, digest)).code).toBe(3);
    }
  });

  it("follows links only to what has the digest", async () => {
    const data = Buffer.from("linked");
    await writeFile(join(root, "elsewhere"), data);
    await mkdir(join(root, "blobs/sha256"), { recursive: true });
    const good = digestOf(data);
    const bad = digestOf(Buffer.from("other"));
    for (const digest of [good, bad]) {
      await symlink(join(root, "elsewhere"), join(root, "blobs/sha256", digest.slice(7)));
    }
    const store = new ContentStore(root);
    expect((await readBlob(store, good)).data.toString()).toBe("linked");
    expect((await readBlob(store, good)).data.toString()).toBe("linked");
    expect((await readBlob(store, bad)).code).toBe(5);
  });
});

describe("writing", () => {
  const data = randomBytes(300_000);
  const digest = digestOf(data);
  const open = () => new ContentStore(root, { access: "read-write" });

  it("MEM-15 hashes what it streams and commits what has the digest", async () => {
    const { code, sent } = await write(open(), [
      { action: STAT, ref: "layer", total: 300_000n, expected: digest },
      { action: WRITE, offset: 0n, data: data.subarray(0, 200_000) },
      { action: WRITE, offset: 200_000n, data: data.subarray(200_000) },
      { action: COMMIT, offset: 300_000n, total: 300_000n, expected: digest },
    ]);
    expect(code).toBe(0);
    const answers = sent.map((message) => fromBinary(wire.WriteContentResponseSchema, message));
    expect(answers.map(({ action, offset }) => [action, Number(offset)])).toEqual([
      [STAT, 0],
      [WRITE, 200_000],
      [WRITE, 300_000],
      [COMMIT, 300_000],
    ]);
    expect(answers.at(-1)?.digest).toBe(digest);
    const path = join(root, "blobs/sha256", digest.slice(7));
    expect((await readFile(path)).equals(data)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o444);
    expect(await readdir(root)).toEqual(["blobs"]);
  });

  it("refuses content that is not what was announced", async () => {
    const other = digestOf(Buffer.from("other"));
    const whole = { action: COMMIT, ref: "r", data };
    expect((await write(open(), [{ ...whole, expected: other }])).code).toBe(9);
    expect((await write(open(), [{ ...whole, total: 1n }])).code).toBe(9);
    await expect(readdir(join(root, "blobs/sha256"))).rejects.toThrow("ENOENT");
  });

  it("says AlreadyExists for a blob that is there", async () => {
    await addBlob(data);
    expect((await write(open(), [{ action: STAT, ref: "r", expected: digest }])).code).toBe(6);
    expect((await write(open(), [{ action: COMMIT, ref: "r", data }])).code).toBe(6);
    expect(await readdir(root)).toEqual(["blobs"]);
  });

  it("takes up a write that was broken off, and starts over from offset 0", async () => {
    const store = open();
    await write(store, [{ action: WRITE, ref: "r", total: 300_000n, data: data.subarray(0, 1000) }]);
    const status = await run(store, "Status", wire.StatusRequestSchema, [{ ref: "r" }]);
    expect(fromBinary(wire.StatusResponseSchema, status.sent[0] as Buffer).status).toMatchObject({
      ref: "r",
      offset: 1000n,
      total: 300_000n,
    });
    const list = await run(store, "ListStatuses", wire.ListStatusesRequestSchema, [{}]);
    expect(fromBinary(wire.ListStatusesResponseSchema, list.sent[0] as Buffer).statuses).toHaveLength(1);
    expect((await write(store, [{ action: WRITE, ref: "r", offset: 5n, data }])).code).toBe(11);
    const resumed = { action: COMMIT, ref: "r", offset: 1000n, data: data.subarray(1000), expected: digest };
    expect((await write(store, [resumed])).code).toBe(0);
    await write(store, [{ action: WRITE, ref: "r2", data: Buffer.from("junk") }]);
    expect((await write(store, [{ action: COMMIT, ref: "r2", data: Buffer.from("ok") }])).code).toBe(0);
    expect(await store.has(digestOf(Buffer.from("ok")))).toBe(true);
  });

  it("lets one write hold a ref, and aborts what nobody holds", async () => {
    const store = open();
    const first = await store.writer("r", 0, "");
    expect((await write(store, [{ action: STAT, ref: "r" }])).code).toBe(14);
    expect((await run(store, "Abort", wire.AbortRequestSchema, [{ ref: "r" }])).code).toBe(14);
    await first.close();
    expect((await run(store, "Abort", wire.AbortRequestSchema, [{ ref: "r" }])).code).toBe(0);
    expect((await run(store, "Abort", wire.AbortRequestSchema, [{ ref: "r" }])).code).toBe(5);
  });

  it("needs a ref, and the same digest and size throughout", async () => {
    expect((await write(open(), [{ action: STAT }])).code).toBe(3);
    const other = digestOf(Buffer.from("other"));
    const first = { action: STAT, ref: "r", expected: digest, total: 5n };
    expect((await write(open(), [first, { action: STAT, expected: other }])).code).toBe(3);
    expect((await write(open(), [first, { action: STAT, total: 6n }])).code).toBe(3);
    expect((await write(open(), [{ action: STAT, ref: "r", expected: "sha256:../../x" }])).code).toBe(3);
  });

  it("SEC-53 stays below its root, within its size, and deletes only what it wrote", async () => {
    const store = new ContentStore(root, { access: "read-write", maxBytes: 400_000 });
    const before = await addBlob(Buffer.from("before"));
    const hostile = "../../../../escape\0";
    expect((await write(store, [{ action: COMMIT, ref: hostile, data, expected: digest }])).code).toBe(0);
    expect((await readdir(root)).sort()).toEqual(["blobs"]);
    expect((await write(store, [{ action: WRITE, ref: "more", data }])).code).toBe(8);
    const remove = (which: string) =>
      run(store, "Delete", wire.DeleteContentRequestSchema, [{ digest: which }]);
    expect((await remove(before)).code).toBe(7);
    expect((await remove(digest)).code).toBe(0);
    expect((await remove(digest)).code).toBe(5);
    expect((await run(store, "Update", wire.UpdateRequestSchema, [{}])).code).toBe(9);
  });
});

describe("SEC-53 a read-only store", () => {
  it("refuses Write, Delete, Update and Abort", async () => {
    const digest = await addBlob(Buffer.from("x"));
    const store = new ContentStore(root);
    expect((await write(store, [{ action: STAT, ref: "r" }])).code).toBe(7);
    expect((await run(store, "Delete", wire.DeleteContentRequestSchema, [{ digest }])).code).toBe(7);
    expect((await run(store, "Update", wire.UpdateRequestSchema, [{}])).code).toBe(7);
    expect((await run(store, "Abort", wire.AbortRequestSchema, [{ ref: "r" }])).code).toBe(7);
    expect(await readdir(root)).toEqual(["blobs"]);
  });
});
