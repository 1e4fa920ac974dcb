import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { FakeHistory, endedBuild, timeAt } from "../../../test/support/fake-history.js";
import { GrpcError, type ServerCall, grpcCodes } from "../../http2/index.js";
import type { BuildHistory } from "./build-history.js";

let fake: FakeHistory;
let builds: BuildHistory | undefined;
afterEach(async () => {
  await builds?.close();
  builds = undefined;
  await fake[Symbol.asyncDispose]();
});

async function open(platforms: readonly string[] = []): Promise<BuildHistory> {
  fake = await FakeHistory.open(platforms);
  return (builds = await fake.history());
}

/** Waits for as long as the caller does. */
async function hang(call: ServerCall): Promise<never> {
  if (!call.signal.aborted) await once(call.signal, "abort");
  throw new GrpcError(grpcCodes.cancelled, "the call was cancelled");
}

const refused = () => {
  throw new GrpcError(grpcCodes.permissionDenied, "not you");
};

describe("records", () => {
  test("are given newest first, by number, by id and by their full name", async () => {
    const opened = await open();
    fake.records.push(
      endedBuild("old"),
      endedBuild("new", { CreatedAt: timeAt(10), CompletedAt: timeAt(12) }),
      { Ref: "now", CreatedAt: timeAt(20) },
      { Ref: "bad", CreatedAt: timeAt(5), CompletedAt: timeAt(6), error: { code: 2, message: "no" } },
    );
    const ids = async (options?: object) => (await opened.records(options)).map(({ id }) => id);
    expect(await ids()).toEqual(["now", "new", "bad", "old"]);
    expect(await ids({ completedOnly: true, limit: 0 })).toEqual(["new", "bad", "old"]);
    expect(await ids({ filters: ["status=error"] })).toEqual(["bad"]);
    expect((await opened.record()).id).toBe("now");
    expect((await opened.record("^1")).id).toBe("new");
    expect((await opened.record("", { completedOnly: true })).id).toBe("new");
    expect((await opened.record("old")).ref).toBe("b/b0/old");
    expect((await opened.recordsOf("b/b0/old")).map(({ id }) => id)).toEqual(["old"]);
    expect((await opened.record("a/b/c/d").catch((error: unknown) => error)) as Error).toMatchObject({
      code: "HISTORY_NOT_FOUND",
    });
  });

  test.each([
    ["^9", { code: "HISTORY_NOT_FOUND", message: "no completed build found with offset 8" }],
    ["^1", { code: "HISTORY_NOT_FOUND", message: 'no record found for ref "^1"' }],
    ["^x", { code: "INVALID_ARGUMENT" }],
    ["^99999999999999999999", { code: "INVALID_ARGUMENT" }],
    ["no", { code: "HISTORY_NOT_FOUND" }],
    ["other/b0/x", { code: "INVALID_ARGUMENT", message: expect.stringContaining("--builder") as string }],
    ["b/nosuch/x", { code: "HISTORY_NOT_FOUND" }],
    [5, { code: "INVALID_ARGUMENT" }],
    [null, { code: "INVALID_ARGUMENT" }],
  ])("that are not there are told by name: %j", async (ref, error) => {
    const opened = await open();
    fake.records.push(endedBuild("one"));
    await expect(opened.record(ref as string)).rejects.toMatchObject(error);
    await expect(opened.recordsOf(ref as string)).rejects.toMatchObject(error);
  });

  test("of nobody are told as such", async () => {
    const opened = await open();
    await expect(opened.record()).rejects.toMatchObject({ message: "no records found" });
    expect(await opened.records()).toEqual([]);
  });

  test("that cannot be had fail with the daemon's words; without a record, of no build, or one that was deleted, are left out", async () => {
    const opened = await open();
    fake.script.listen = async function* () {
      yield { type: 0 };
      yield { type: 2, record: endedBuild("deleted") };
      yield { type: 0, record: endedBuild("one") };
    };
    expect((await opened.records()).map(({ id }) => id)).toEqual(["one"]);
    fake.script.listen = refused;
    await expect(opened.records()).rejects.toMatchObject({
      code: "BUILDKIT_STATUS",
      message: expect.stringContaining("not you") as string,
    });
  });

  test("that are more than there can be are refused while they come", async () => {
    const opened = await open();
    const large = { ["x".repeat(1 << 20)]: "y" };
    fake.script.listen = async function* () {
      for (let number = 0; number < 40; number++)
        yield { type: 0, record: endedBuild(`r${number}`, { FrontendAttrs: large }) };
    };
    await expect(opened.records()).rejects.toMatchObject({ code: "HISTORY_TOO_LARGE" });
  });

  test.each(["before", "while"])("are given up when cancelled %s they are asked for", async (when) => {
    const opened = await open();
    const abort = new AbortController();
    const reason = new Error("enough");
    fake.script.listen = async function* (_request, call) {
      yield { type: 0, record: endedBuild("one") };
      abort.abort(reason);
      await hang(call);
    };
    if (when === "before") abort.abort(reason);
    await expect(opened.records({ signal: abort.signal })).rejects.toMatchObject({
      code: "ABORTED",
      cause: reason,
    });
  });
});

describe("a builder of two nodes", () => {
  const platforms = ["linux/amd64", "linux/arm64"];

  test("gives a build's records on each, and those of one node by name", async () => {
    const opened = await open(platforms);
    fake.records.push(endedBuild("one"));
    expect((await opened.recordsOf("one")).map(({ ref }) => ref)).toEqual(["b/b0/one", "b/b1/one"]);
    expect((await opened.recordsOf("^0")).map(({ ref }) => ref)).toEqual(["b/b0/one", "b/b1/one"]);
    expect((await opened.recordsOf("b/b1/one")).map(({ ref }) => ref)).toEqual(["b/b1/one"]);
  });

  test("is not open when one of them cannot be reached, and nothing of the other stays open", async () => {
    fake = await FakeHistory.open(platforms);
    fake.builder.engine.on("POST", "/containers/buildx_buildkit_b1/start", (call) =>
      call.refuse(500, "the engine is on fire"),
    );
    await expect(fake.history()).rejects.toThrow("on fire");
    await fake.builder.engine.idle();
  });

  test("is given up at once when one of them is refused and the other is silent", async () => {
    fake = await FakeHistory.open(platforms);
    fake.builder.engine
      .on("POST", "/containers/buildx_buildkit_b0/start", () => {})
      .on("POST", "/containers/buildx_buildkit_b1/start", (call) =>
        call.refuse(500, "the engine is on fire"),
      );
    await expect(fake.history()).rejects.toThrow("on fire");
    await fake.builder.engine.idle();
  });

  test("removes a build where it is, and names those that no node could remove", async () => {
    const opened = await open(platforms);
    fake.script.update = ({ Ref }) => {
      if (Ref === "there" && fake.updates.length === 1) return {};
      throw new GrpcError(grpcCodes.notFound, `no ${Ref}`);
    };
    const failed = expect(opened.remove(["there", "b/b0/gone", "b/nosuch/x"])).rejects;
    await failed.toMatchObject({ code: "HISTORY_REMOVE" });
    await failed.toThrow(/^failed to remove b\/b0\/gone: .*no gone.*\nb\/nosuch\/x: no such node$/);
  });

  test("removes all that have ended", async () => {
    const opened = await open(platforms);
    fake.records.push(endedBuild("one"), { Ref: "runs", CreatedAt: timeAt(0) });
    await opened.removeAll();
    expect(fake.updates.map(({ Ref, Delete }) => [Ref, Delete])).toEqual([
      ["one", true],
      ["one", true],
    ]);
  });
});

describe("removing", () => {
  test.each([[undefined], ["one"], [[5]], [[null]], [[["one"]]]])(
    "refuses what is no list of builds before anything is removed: %j",
    async (refs) => {
      const opened = await open();
      await expect(opened.remove(refs as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(fake.updates).toEqual([]);
    },
  );

  test.each(["remove", "removeAll"] as const)("is given up when %s() is cancelled", async (method) => {
    const opened = await open();
    fake.records.push(endedBuild("one"), endedBuild("two"));
    const abort = new AbortController();
    const reason = new Error("enough");
    fake.script.update = (_request, call) => {
      abort.abort(reason);
      return hang(call);
    };
    const options = { signal: abort.signal };
    const removing = method === "remove" ? opened.remove(["one", "two"], options) : opened.removeAll(options);
    await expect(removing).rejects.toMatchObject({ code: "ABORTED", cause: reason });
    expect(fake.updates).toHaveLength(1);
  });

  test("all fails with the daemon's words", async () => {
    const opened = await open();
    fake.records.push(endedBuild("one"));
    fake.script.update = refused;
    await expect(opened.removeAll()).rejects.toThrow("not you");
  });
});

describe("a record", () => {
  test("is finalized and read anew; one that is deleted meanwhile is told", async () => {
    const opened = await open();
    fake.records.push(endedBuild("one"));
    const record = await opened.record("one");
    const trace = fake.store("{}");
    fake.script.update = () => {
      fake.records.splice(0, 1, endedBuild("one", { trace }));
      return {};
    };
    expect((await opened.finalize(record)).trace).toMatchObject({ digest: trace.digest });
    fake.script.update = () => {
      fake.records.length = 0;
      return {};
    };
    await expect(opened.finalize(record)).rejects.toMatchObject({
      code: "HISTORY_NOT_FOUND",
      message: 'build record "one" was deleted',
    });
    fake.script.update = refused;
    await expect(opened.finalize(record)).rejects.toThrow("not you");
  });

  test("of another builder is refused by every call", async () => {
    const opened = await open();
    fake.records.push(endedBuild("one"));
    const record = { ...(await opened.record("one")), node: "elsewhere", ref: "c/elsewhere/one" };
    const message = "build c/elsewhere/one is not of builder b";
    await expect(opened.failure(record)).rejects.toThrow(message);
    await expect(opened.attachments(record)).rejects.toThrow(message);
    await expect(opened.readBlob(record, "x")).rejects.toThrow(message);
    await expect(opened.finalize(record)).rejects.toThrow(message);
    await expect(opened.status(record).next()).rejects.toThrow(message);
    await expect(opened.streamBlob(record, "x").next()).rejects.toThrow(message);
  });

  test("has its progress, which ends with the loop and with the signal", async () => {
    const opened = await open();
    fake.records.push(endedBuild("one"));
    const record = await opened.record("one");
    let ended = 0;
    fake.script.status = async function* (call) {
      call.signal.addEventListener("abort", () => ended++, { once: true });
      yield { vertexes: [{ digest: "sha256:a", name: "step" }] };
      await hang(call);
    };
    for await (const { vertexes } of opened.status(record)) {
      expect(vertexes.map(({ name }) => name)).toEqual(["step"]);
      break;
    }
    await expect.poll(() => ended).toBe(1);
    const abort = new AbortController();
    const told = opened.status(record, { signal: abort.signal });
    await told.next();
    abort.abort(new Error("enough"));
    await expect(told.next()).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("has blobs, whole and piece by piece, up to a limit, and not what is no longer there", async () => {
    const opened = await open();
    fake.records.push(endedBuild("one"));
    const record = await opened.record("one");
    const { digest } = fake.store("x".repeat(100_000));
    expect((await opened.readBlob(record, digest)).length).toBe(100_000);
    let length = 0;
    for await (const piece of opened.streamBlob(record, digest)) length += piece.length;
    expect(length).toBe(100_000);
    await expect(opened.readBlob(record, digest, { limit: 10 })).rejects.toMatchObject({
      code: "CONTENT_TOO_LARGE",
    });
    fake.blobs.clear();
    await expect(opened.readBlob(record, digest)).rejects.toMatchObject({ code: "BUILDKIT_STATUS" });
    fake.blobs.set(digest, Buffer.from("something else"));
    await expect(opened.readBlob(record, digest)).rejects.toMatchObject({ code: "CONTENT_DIGEST" });
  });

  test("of an image has its platforms; of none has none", async () => {
    const opened = await open();
    const config = fake.store({ os: "linux", architecture: "arm64", history: [] });
    const { digest, mediaType, size } = config;
    const image = fake.store({ config: { digest, mediaType, size: Number(size) }, layers: [] });
    fake.records.push(
      endedBuild("one", { Result: { Results: { 0: image } } }),
      endedBuild("two", { ExporterResponse: { "containerimage.digest": image.digest } }),
      endedBuild("three"),
    );
    for (const [id, platforms] of [
      ["one", ["linux/arm64"]],
      ["two", ["linux/arm64"]],
      ["three", []],
    ] as const)
      expect((await opened.images(await opened.record(id))).map(({ platform }) => platform)).toEqual(
        platforms,
      );
  });
});

test("a node's default platform is its first worker's, and none where there is no node or worker", async () => {
  const opened = await open();
  expect(await opened.defaultPlatform("b0")).toBe("linux/arm64");
  expect(await opened.defaultPlatform("nosuch")).toBe("");
  fake.script.workers = () => ({ record: [] });
  expect(await opened.defaultPlatform("b0")).toBe("");
});

test("a builder that is lost is told by each call, and closing twice is none of its business", async () => {
  const opened = await open();
  fake.records.push(endedBuild("one"));
  const record = await opened.record("one");
  await fake.builder.daemon[Symbol.asyncDispose]();
  await expect(opened.records()).rejects.toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
  await expect(opened.readBlob(record, fake.store("x").digest)).rejects.toMatchObject({
    code: "BUILDKIT_CONNECTION_LOST",
  });
  await opened.close();
  await opened.close();
});
