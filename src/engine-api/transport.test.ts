import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { isSlipwayError } from "../core/index.js";
import { EngineClient } from "./client.js";
import { EngineError } from "./errors.js";

let fake: FakeEngine;
let engine: EngineClient;

beforeEach(async () => {
  fake = await FakeEngine.start();
  engine = EngineClient.open({ host: fake.host });
});

afterEach(async () => {
  await engine.close();
  await fake.idle();
  await fake.close();
});

const failure = (promise: Promise<unknown>): Promise<EngineError> =>
  promise.then(
    () => expect.fail("should have been refused"),
    (error: unknown) => error as EngineError,
  );

describe("refusals", () => {
  it.each([
    [404, "ENGINE_NOT_FOUND"],
    [409, "ENGINE_CONFLICT"],
    [500, "ENGINE_STATUS"],
    [403, "ENGINE_STATUS"],
  ])("keep status %i, message, method and path", async (status, code) => {
    fake.on("GET", "/containers/c1/json", (call) => call.refuse(status, "No such container: c1"));
    const error = await failure(engine.containers.inspect("c1"));
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({
      code,
      status,
      method: "GET",
      path: "/v1.41/containers/c1/json",
      engineMessage: "No such container: c1",
      message: "Error response from daemon: No such container: c1",
    });
  });

  it("show the beginning of an answer that is not the engine's", async () => {
    fake.on("GET", "/info", ({ response }) => {
      response.writeHead(502).end("<html>\n<h1>Bad Gateway</h1>");
    });
    expect(await failure(engine.info())).toMatchObject({ engineMessage: "<html> <h1>Bad Gateway</h1>" });
  });

  it("SEC-56 do not follow redirects", async () => {
    fake.on("GET", "/info", ({ response }) => {
      response.writeHead(301, { location: "/elsewhere" }).end();
    });
    expect(await failure(engine.info())).toMatchObject({ code: "ENGINE_STATUS", status: 301 });
    expect(fake.calls.map(({ path }) => path)).toEqual(["/_ping", "/info"]);
  });

  it("start and stop do not fail when there is nothing to do", async () => {
    fake.on("POST", "/containers/c1/start", (call) => call.empty(304));
    fake.on("POST", "/containers/c1/stop", (call) => call.empty(304));
    await engine.containers.start("c1");
    await engine.containers.stop("c1", { timeoutSeconds: 3 });
    expect(fake.callsOf("POST", "/containers/c1/stop")[0]?.query).toEqual({ t: "3" });
  });
});

describe("limits", () => {
  it("FLT-17 a call has a deadline until its answer begins", async () => {
    fake.on("GET", "/info", () => {});
    const error = await failure(engine.info({ milliseconds: 20 }));
    expect(isSlipwayError(error, "DEADLINE")).toBe(true);
    expect(error.message).toContain("GET /v1.41/info");
  });

  it("FLT-17 a call ends with its signal", async () => {
    const abort = new AbortController();
    fake.on("GET", "/info", () => abort.abort("enough"));
    const error = await failure(engine.info({ signal: abort.signal }));
    expect(error).toMatchObject({ code: "ABORTED", cause: "enough" });
    await fake.closed(fake.calls.at(-1));
  });

  it("an aborted signal makes no call", async () => {
    expect(await failure(engine.info({ signal: AbortSignal.abort() }))).toMatchObject({ code: "ABORTED" });
    expect(fake.callsOf("GET", "/info")).toEqual([]);
  });

  it("the deadline does not hold for the body", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      let rest: () => void = () => {};
      fake.on("GET", "/images/get", ({ response }) => {
        response.writeHead(200).write("one ");
        rest = () => response.end("two");
      });
      const body = await engine.images.save(["a"], { milliseconds: 1_000 });
      vi.advanceTimersByTime(100_000);
      rest();
      let text = "";
      for await (const chunk of body as AsyncIterable<Buffer>) text += chunk.toString();
      expect(text).toBe("one two");
    } finally {
      vi.useRealTimers();
    }
  });

  it("SEC-56 headers beyond 64 KiB are an error", async () => {
    fake.on("GET", "/info", ({ response }) => {
      response.writeHead(200, { "x-long": "x".repeat(70_000) }).end("{}");
    });
    expect(await failure(engine.info())).toMatchObject({ code: "ENGINE_PROTOCOL" });
  });

  it("SEC-56 JSON answers beyond 16 MiB are an error", async () => {
    fake.on("GET", "/info", ({ response }) => {
      response.on("error", () => {}).end(Buffer.alloc(17 * 1024 * 1024, " "));
    });
    expect(await failure(engine.info())).toMatchObject({ code: "ENGINE_TOO_LARGE" });
  });

  it("SEC-37 bodies too large for an authorisation plug-in are not sent", async () => {
    const Env = ["x".repeat(1024 * 1024)];
    const error = await failure(engine.containers.create("c1", { Image: "i", Env }));
    expect(error).toMatchObject({ code: "ENGINE_TOO_LARGE" });
    expect(fake.callsOf("POST", "/containers/create")).toEqual([]);
  });
});

describe("connections", () => {
  it("an absent engine is named", async () => {
    await using absent = EngineClient.open({ host: "unix:///nowhere/engine.sock" });
    const error = await failure(absent.info());
    expect(error).toMatchObject({ code: "ENGINE_CONNECT" });
    expect(error.message).toMatch(
      /^cannot connect to the Docker daemon at unix:\/\/\/nowhere\/engine.sock: is the/,
    );
  });

  it("are kept for the next call", async () => {
    fake.on("GET", "/info", (call) => call.json({}));
    for (let i = 0; i < 3; i++) await engine.info();
    expect(fake.connectionsMade).toBe(1);
  });

  it("do not wait for each other", async () => {
    fake.on("GET", "/events", (call) => call.lines([], { open: true }));
    fake.on("GET", "/info", (call) => call.json({ Name: "n" }));
    const events = engine.events()[Symbol.asyncIterator]();
    const first = failure(events.next());
    expect(await engine.info()).toEqual({ Name: "n" });
    await engine.close();
    expect(await first).toMatchObject({ code: "ENGINE_CLOSED" });
  });

  it("that break during a call are an error that names it", async () => {
    fake.on("GET", "/info", (call) => call.cut());
    const error = await failure(engine.info());
    expect(error).toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
    expect(error.message).toContain("GET /v1.41/info");
  });

  it("that break in the body are an error of the body", async () => {
    fake.on("GET", "/info", ({ response, socket }) => {
      response.writeHead(200, { "content-length": "100" }).write("{");
      setImmediate(() => socket.destroy());
    });
    expect(await failure(engine.info())).toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
  });

  it("close() ends calls under way, is idempotent, and leaves no socket", async () => {
    const called = new Promise<void>((resolve) => {
      fake.on("GET", "/info", () => resolve());
    });
    const info = failure(engine.info());
    await called;
    await Promise.all([engine.close(), engine.close()]);
    expect(await info).toMatchObject({ code: "ENGINE_CLOSED" });
    await fake.idle();
    expect(await failure(engine.info())).toMatchObject({ code: "ENGINE_CLOSED" });
  });

  it("close() before the first call does nothing", async () => {
    await engine.close();
    expect(fake.connectionsMade).toBe(0);
  });
});

describe("versions", () => {
  it.each([
    ["1.41", "1.41"],
    ["1.47", "1.47"],
    ["1.56", "1.56"],
    ["1.99", "1.56"],
  ])("FLT-18 an engine that offers %s is spoken to in %s", async (apiVersion, used) => {
    await using offering = await FakeEngine.start({ apiVersion });
    await using client = EngineClient.open({ host: offering.host });
    offering.on("GET", "/info", (call) => call.json({}));
    await client.info();
    expect(await client.apiVersion()).toBe(used);
    expect(offering.calls.at(-1)?.version).toBe(used);
    await client.close();
  });

  it.each([
    ["1.40", /too old: it speaks API 1.40, slipway needs 1.41/],
    [null, /is not a Docker engine/],
    ["nonsense", /is not a Docker engine/],
  ])("FLT-18 an engine that offers %s is refused", async (apiVersion, message) => {
    await using offering = await FakeEngine.start({ apiVersion });
    await using client = EngineClient.open({ host: offering.host });
    const error = await failure(client.info());
    expect(error).toMatchObject({ code: "ENGINE_VERSION" });
    expect(error.message).toMatch(message);
    await client.close();
  });

  it("a version that is asked for is used without asking the engine", async () => {
    await using client = EngineClient.open({ host: fake.host, apiVersion: "v1.43" });
    fake.on("GET", "/info", (call) => call.json({}));
    await client.info();
    expect(fake.calls.map(({ path, version }) => [path, version])).toEqual([["/info", "1.43"]]);
  });

  it.each(["1.40", "1", "new", "1.41/../x"])(
    "a version %s is refused before anything is dialled",
    (apiVersion) => {
      expect(() => EngineClient.open({ host: fake.host, apiVersion })).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    },
  );

  it("many first calls at once ask once; a failed question is asked again", async () => {
    fake.on("GET", "/info", (call) => call.json({}));
    fake.on("GET", "/_ping", ({ response, count }) => {
      if (count === 1) response.writeHead(503).end("starting");
      else response.setHeader("Api-Version", "1.44").end("OK");
    });
    expect(await failure(engine.info())).toMatchObject({ status: 503 });
    await Promise.all([engine.info(), engine.info(), engine.info()]);
    expect(fake.callsOf("GET", "/_ping")).toHaveLength(2);
  });
});

describe("hostile names", () => {
  const names = ["a\r\nHost: b", "../x", "a/../b", "a%2fb", "", "-x", "a b", "a?b", "a#b", "\0", "ä"];
  it.each(names)("SEC-23 %j is refused before a byte is sent", async (name) => {
    const calls: (() => Promise<unknown>)[] = [
      () => engine.containers.inspect(name),
      () => engine.containers.create(name, { Image: "i" }),
      () => engine.containers.remove(name),
      () => engine.containers.logs(name)[Symbol.asyncIterator]().next(),
      () => engine.containers.putArchive(name, { path: "/etc", body: Buffer.from("x") }),
      () => engine.exec.create(name, { cmd: ["true"] }),
      () => engine.exec.start(name),
      () => engine.exec.inspect(name),
      () => engine.volumes.inspect(name),
      () => engine.volumes.create({ Name: name }),
      () => engine.volumes.remove(name),
    ];
    if (name !== "ä" && name !== "a b" && name !== "-x") calls.push(() => engine.networks.inspect(name));
    if (!["a/../b"].includes(name)) calls.push(() => engine.images.pull(name));
    calls.push(
      () => engine.images.inspect(name),
      () => engine.images.tag("a", name),
      () => engine.images.save([name]),
    );
    for (const call of calls) {
      await expect((async () => call())()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(fake.connectionsMade).toBe(0);
  });

  it("SEC-23 a user agent with a line break is refused", () => {
    expect(() => EngineClient.open({ host: fake.host, userAgent: "a\r\nb: c" })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("SEC-23 filters cannot leave the query", async () => {
    fake.on("GET", "/networks", (call) => call.json([]));
    await engine.networks.list({ filters: { name: ["a&b=c\r\n"] } });
    expect(fake.calls.at(-1)?.query).toEqual({ filters: '{"name":{"a&b=c\\r\\n":true}}' });
  });
});

describe("an AbortController that is not Node's, as jsdom puts in its place", () => {
  it("is taken", async () => {
    class ForeignController {
      readonly signal = { aborted: false, addEventListener: () => {}, removeEventListener: () => {} };
      abort(): void {}
    }
    fake.on("GET", "/info", (call) => call.json({ Name: "here" }));
    vi.stubGlobal("AbortController", ForeignController);
    try {
      await using other = EngineClient.open({ host: fake.host });
      expect((await other.info()).Name).toBe("here");
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
