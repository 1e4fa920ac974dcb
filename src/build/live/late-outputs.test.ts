import { getEventListeners } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeResult, cancelled } from "../../../test/support/fake-result.js";
import { gate } from "../../../test/support/gate.js";
import { exported, imageArchive } from "../../../test/support/image-archive.js";
import type { BuildEvent } from "../../core/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import { files } from "../contexts.js";
import { openResult } from "../open-result.js";
import type { Output } from "../parse/output.js";
import type { ExportOptions, OpenResult } from "./open-result.js";

let fake: FakeResult;
let result: OpenResult;

const content = Buffer.alloc(100_000, "tar");
const tar = (dest: Output["dest"]): Output => ({ type: "tar", ...(dest !== undefined && { dest }) });

beforeEach(async () => {
  fake = await FakeResult.open();
  fake.script.exports = async () => {
    const { code, message } = await exported(fake.builder.daemon, content);
    if (code !== 0) throw new GrpcError(code < 0 ? grpcCodes.cancelled : code, message);
    return {};
  };
  result = await openResult({
    builder: "b",
    env: fake.builder.env,
    context: files({ Dockerfile: "FROM scratch\n" }),
    cacheTo: [{ type: "inline" }],
    tags: ["app:1"],
  });
});
afterEach(async () => {
  delete fake.script.exports;
  await result.close();
  await fake[Symbol.asyncDispose]();
});

const outcome = (outputs: readonly Output[], options: ExportOptions = {}) =>
  result.export(outputs, options).then(
    () => ({ code: "none", message: "" }),
    (error: Error & { code?: string }) => ({ code: error.code, message: error.message }),
  );

describe("a result that is kept", () => {
  it("is exported in its own session as often as is asked, and its cache is written once", async () => {
    for (let at = 0; at < 12; at++) {
      const dest = join(fake.builder.dir, `${at}.tar`);
      expect(await result.export([tar(dest)])).toMatchObject({
        ref: expect.stringMatching(/^b\/b0\//) as string,
      });
      expect((await readFile(dest)).equals(content)).toBe(true);
    }
    const [first, ...later] = fake.solves;
    expect(new Set(later.map(({ Session }) => Session))).toEqual(new Set([first?.Session]));
    expect(new Set(fake.solves.map(({ Ref }) => Ref)).size).toBe(13);
    expect(first?.Cache?.Exports).toHaveLength(1);
    expect(later.flatMap(({ Cache }) => Cache?.Exports ?? [])).toEqual([]);
  });

  it("is exported to one after the other, in the order of asking", async () => {
    let now = 0;
    const sent = fake.script.exports as NonNullable<typeof fake.script.exports>;
    fake.script.exports = async (request, call) => {
      expect(++now).toBe(1);
      const answer = await sent(request, call);
      now--;
      return answer;
    };
    const order: string[] = [];
    const names = ["a", "b", "c"];
    await Promise.all(
      names.map(async (name) => {
        await result.export([tar(join(fake.builder.dir, name))]);
        order.push(name);
      }),
    );
    expect(order).toEqual(names);
  });

  it("does not make who is cancelled wait for an export that takes long", async () => {
    const stuck = new PassThrough();
    const begun = gate();
    fake.script.exports = async (_request, call) => {
      begun.open();
      return cancelled(call);
    };
    const long = new AbortController();
    const first = outcome([tar(stuck)], { signal: long.signal });
    await begun.opened;
    const short = new AbortController();
    const second = outcome([tar(join(fake.builder.dir, "second"))], { signal: short.signal });
    // It was planned, and waits for its turn.
    await vi.waitUntil(() => getEventListeners(short.signal, "abort").length > 0, { timeout: 10_000 });
    short.abort();
    expect(await second).toMatchObject({ code: "ABORTED" });
    expect(fake.solves).toHaveLength(2);
    long.abort();
    expect(await first).toMatchObject({ code: "ABORTED" });
    // The others after them are not lost.
    fake.script.exports = () => ({});
    expect(await result.export([{ type: "image", attrs: { name: "x" } }])).toMatchObject({ names: [] });
  });

  it("is closed while it is exported, or is to be, and leaves nothing", async () => {
    const dest = new PassThrough();
    fake.script.exports = async ({ Exporters }, call) => {
      // The build that is held ends as well.
      if (Exporters.length === 0) return {};
      const sending = exported(fake.builder.daemon, Buffer.alloc(8 << 20)).catch(() => {});
      await vi.waitUntil(() => dest.writableNeedDrain, { timeout: 10_000 });
      void result.close();
      await sending;
      return cancelled(call);
    };
    const first = outcome([tar(dest)]);
    const waiting = outcome([tar(join(fake.builder.dir, "waiting"))]);
    expect((await first).code).toBe("RESULT_CLOSED");
    expect((await waiting).code).toBe("RESULT_CLOSED");
    expect(await outcome([tar(dest)])).toMatchObject({ code: "RESULT_CLOSED" });
    await result.close();
    expect(fake.solves).toHaveLength(2);
    expect((await readdir(fake.builder.dir)).filter((name) => name.includes("part"))).toEqual([]);
  });

  it("tells of an export what was not told of the build", async () => {
    const time = { seconds: 1n, nanos: 0 };
    fake.script.status = async function* () {
      yield {
        vertexes: [{ digest: "sha256:1", name: "RUN", completed: time }],
        statuses: [{ ID: "s", vertex: "sha256:1" }],
        logs: [{ vertex: "sha256:1", msg: Buffer.from("again") }],
        warnings: [{ vertex: "sha256:1", short: Buffer.from("again") }],
      };
    };
    const told = async () => {
      const events: BuildEvent[] = [];
      await result.export([tar(join(fake.builder.dir, "x"))], {
        onEvent: (event) => void events.push(event),
      });
      return events.flatMap((event) =>
        event.type === "status"
          ? [event.vertexes.length, event.statuses.length, event.logs.length, event.warnings.length]
          : [],
      );
    };
    // The first export's steps are its own.
    expect(await told()).toEqual([1, 1, 1, 1]);
    await using other = await openResult({
      builder: "b",
      env: fake.builder.env,
      context: files({ Dockerfile: "FROM scratch\n" }),
    });
    await other.readDir("/");
    fake.script.exports = () => ({});
    const events: BuildEvent[] = [];
    await other.export([{ type: "image", attrs: { name: "x" } }], {
      onEvent: (event) => void events.push(event),
    });
    const steps = events.flatMap((event) => (event.type === "status" ? event.vertexes : []));
    expect(steps).toEqual([]);
  });

  it("fails with what is wrong on this side, or with the daemon's words", async () => {
    const dest = new Writable({ write: (_chunk, _encoding, done) => done(new Error("the reader has gone")) });
    expect((await outcome([tar(dest)])).message).toContain("the reader has gone");
    fake.script.exports = () => Promise.reject(new GrpcError(grpcCodes.unknown, "the registry is away"));
    expect((await outcome([{ type: "image", attrs: { name: "x", push: "true" } }])).message).toContain(
      "the registry is away",
    );
    expect((await result.readDir("/")).length).toBe(0);
  });

  it("goes into a layout, whose blobs the session takes during that export alone", async () => {
    const dest = join(fake.builder.dir, "layout");
    fake.script.exports = () => ({});
    await result.export([{ type: "oci", dest, attrs: { tar: "false" } }]);
    expect(await readdir(dest)).toEqual([]);
    expect(fake.solves.at(-1)?.Exporters).toMatchObject([{ Type: "oci", Attrs: { name: "app:1" } }]);
  });

  it("is loaded into the engine", async () => {
    const archive = await imageArchive();
    fake.script.exports = async () => (await exported(fake.builder.daemon, archive), {});
    let got = 0;
    fake.builder.engine.on("POST", "/images/load", async (call) => {
      got = (await call.body()).length;
      call.lines([{ stream: "Loaded image: app:1\n" }]);
    });
    await result.export([{ type: "docker" }], { tags: ["app:1", "app:3"] });
    expect(got).toBeGreaterThan(1000);
    expect(fake.solves.at(-1)?.Exporters).toMatchObject([{ Attrs: { name: "app:1,app:3" } }]);
  });

  it.each([
    [[], "needs an output besides the cache"],
    [[{ type: "cacheonly" }], "needs an output besides the cache"],
    [[{ type: "local" }], "dest is required for local exporter"],
    [["type=tar"], "parseOutput() reads the command's words"],
    [undefined, "must be a list"],
    [[{ type: "tar", dest: "/" }], "destination file / is a directory"],
  ])("refuses outputs that are none: %#", async (outputs, message) => {
    expect((await outcome(outputs as Output[])).message).toContain(message);
  });

  it("is not exported for a signal that is aborted before", async () => {
    expect(await outcome([tar(join(fake.builder.dir, "x"))], { signal: AbortSignal.abort() })).toMatchObject({
      code: "ABORTED",
    });
    expect(fake.solves).toHaveLength(1);
  });

  it("goes on to be told of when its listener throws, which is then thrown", async () => {
    const onEvent = () => {
      throw new Error("the listener is broken");
    };
    fake.script.status = async function* () {
      yield { vertexes: [{ digest: "sha256:2", name: "x" }] };
    };
    const dest = join(fake.builder.dir, "x");
    expect((await outcome([tar(dest)], { onEvent })).message).toBe("the listener is broken");
    expect((await readFile(dest)).length).toBe(content.length);
  });
});
