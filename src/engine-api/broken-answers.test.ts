import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeEngine, type FakeCall, stdcopyFrame } from "../../test/support/fake-engine.js";
import { EngineClient } from "./client.js";
import { execDial } from "./exec-dial.js";

let fake: FakeEngine;
let engine: EngineClient;
let uncaught: unknown[];
const note = (error: unknown) => void uncaught.push(error);

beforeEach(async () => {
  uncaught = [];
  process.on("uncaughtException", note);
  fake = await FakeEngine.start();
  engine = EngineClient.open({ host: fake.host });
});

afterEach(async () => {
  await engine.close();
  await fake.close();
  process.off("uncaughtException", note);
  expect(uncaught, "what nobody caught").toEqual([]);
});

/** How an engine breaks that has begun to answer. */
const breaks: [how: string, code: string, script: (call: FakeCall, first: Uint8Array) => void][] = [
  [
    "cuts the connection",
    "ENGINE_CONNECTION_LOST",
    ({ response, socket }, first) => void response.write(first, () => socket.destroySoon()),
  ],
  [
    "ends before the length that it told",
    "ENGINE_CONNECTION_LOST",
    ({ socket }, first) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
      socket.end(first);
    },
  ],
  [
    "sends nonsense in place of a chunk",
    "ENGINE_PROTOCOL",
    ({ socket }, first) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      socket.write(
        Buffer.concat([Buffer.from(`${first.length.toString(16)}\r\n`), first, Buffer.from("\r\n")]),
      );
      socket.end("no length\r\n");
    },
  ],
];

/** Waits until a stream has failed, though nobody listens to it. */
async function failureOf(stream: Readable): Promise<unknown> {
  while (stream.errored === null) await new Promise((resolve) => setTimeout(resolve, 5));
  // Where the error event would have ended the process.
  await new Promise((resolve) => setTimeout(resolve, 10));
  return stream.errored;
}

describe.each(breaks)("an engine that has answered and %s", (_, code, script) => {
  it("leaves the error in a saved image's stream, for who reads it later", async () => {
    fake.on("GET", "/images/get", (call) => script(call, Buffer.from("the first of it")));
    const body = await engine.images.save(["app:1"]);
    expect(await failureOf(body)).toMatchObject({ code });
    await expect(body.toArray()).rejects.toMatchObject({ code });
  });

  it.each([
    [
      "logs",
      (path: FakeEngine, frame: (call: FakeCall) => void) => path.on("GET", "/containers/c1/logs", frame),
      () => engine.containers.logs("c1", { follow: true }),
      stdcopyFrame(1, "line\n"),
    ],
    [
      "events",
      (path: FakeEngine, frame: (call: FakeCall) => void) => path.on("GET", "/events", frame),
      () => engine.events(),
      Buffer.from('{"Type":"image"}\n'),
    ],
  ] as const)("fails the loop over %s, also one that takes its time", async (_what, on, open, first) => {
    on(fake, (call) => script(call, first));
    let seen = 0;
    const loop = async () => {
      for await (const _each of open() as AsyncIterable<unknown>) {
        seen++;
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    };
    await expect(loop()).rejects.toMatchObject({ code });
    expect(seen).toBe(1);
  });

  it("fails a pull and a load", async () => {
    const first = Buffer.from('{"status":"Pulling"}\n');
    fake.on("POST", "/images/create", (call) => script(call, first));
    fake.on("POST", "/images/load", async (call) => {
      await call.body();
      script(call, first);
    });
    await expect(engine.images.pull("app:1")).rejects.toMatchObject({ code });
    // A load's connection ends behind the answer in any case: an answer without a known length ends with it.
    const loading = engine.images.load(
      (async function* () {
        yield Buffer.from("archive");
      })(),
    );
    await expect(loading).rejects.toMatchObject({ code });
  });
});

describe("an engine that breaks a connection that it gave away", () => {
  beforeEach(() => {
    fake.on("POST", "/containers/c1/exec", (call) => call.json({ Id: "e1" }, 201));
    fake.on("GET", "/exec/e1/json", (call) => call.cut());
  });

  it.each([
    ["by a frame that is none", (): Buffer => Buffer.from("no frame at all"), "ENGINE_PROTOCOL"],
    ["by an error of its own", (): Buffer => stdcopyFrame(3, "the daemon failed"), "ENGINE_STREAM"],
  ])("%s leaves the error in the process's stream", async (_, early, code) => {
    fake.on("POST", "/exec/e1/start", async (call) => void (await call.hijack(early())).end());
    const stream = await engine.exec.start(await engine.exec.create("c1", { cmd: ["cat"] }));
    stream.resume();
    expect(await failureOf(stream)).toMatchObject({ code });
  });

  it("leaves the error in a dialled stream that nobody has taken yet", async () => {
    fake.on(
      "POST",
      "/exec/e1/start",
      async (call) => void (await call.hijack(stdcopyFrame(1, "oops"))).end(),
    );
    const stream = await execDial(engine, "c1", ["buildctl", "dial-stdio"])();
    expect(await failureOf(stream)).toMatchObject({ code: "ENGINE_EXEC" });
  });
});

const bug = new Error("a bug in the caller");
const failing: [how: string, callback: () => unknown][] = [
  [
    "throws",
    () => {
      throw bug;
    },
  ],
  ["rejects", async () => Promise.reject(bug)],
];

describe.each(failing)("a callback that %s", (_, callback) => {
  it("ends a pull, a push and a load", async () => {
    const progress = (call: FakeCall) => call.lines([{ status: "one" }, { status: "two" }]);
    fake.on("POST", "/images/create", progress);
    fake.on("POST", "/images/app/push", progress);
    fake.on("POST", "/images/load", async (call) => {
      await call.body();
      progress(call);
    });
    const archive = async function* () {
      yield Buffer.from("archive");
    };
    await expect(engine.images.pull("app:1", { onProgress: callback })).rejects.toBe(bug);
    await expect(engine.images.push("app:1", { onProgress: callback })).rejects.toBe(bug);
    await expect(engine.images.load(archive(), { onProgress: callback })).rejects.toBe(bug);
  });

  it("destroys the stream of the process whose stderr it gets", async () => {
    fake.on("POST", "/containers/c1/exec", (call) => call.json({ Id: "e1" }, 201));
    fake.on("POST", "/exec/e1/start", async (call) => void (await call.hijack(stdcopyFrame(2, "oops"))));
    const stream = await engine.exec.start("e1", { onStderr: callback });
    stream.resume();
    expect(await failureOf(stream)).toBe(bug);
  });

  it("fails the first call over a connection that it is warned of", async () => {
    const warned = EngineClient.open({ host: "tcp://127.0.0.1:1", skipTlsVerify: true, onWarning: callback });
    await expect(warned.ping()).rejects.toMatchObject({ cause: bug });
    await warned.close();
  });
});
