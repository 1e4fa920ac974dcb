import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { EngineClient } from "./client.js";

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

/** Blocks without end, counting; `returned` tells that the reader let go. */
function endless(block: Buffer = Buffer.alloc(64 * 1024)) {
  const state = { blocks: 0, returned: false };
  async function* generate(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        state.blocks++;
        yield block;
      }
    } finally {
      state.returned = true;
    }
  }
  return { state, source: generate() };
}

const once = (...parts: string[]) =>
  Readable.from(
    parts.map((part) => Buffer.from(part)),
    { objectMode: true },
  );

describe("images.load", () => {
  it("streams on a connection of its own, reads the answer to its end and gives its messages", async () => {
    let body = "";
    fake.on("POST", "/images/load", async (call) => {
      body = (await call.body()).toString();
      call.lines([
        { status: "Loading layer", id: "l1", progressDetail: { current: 1, total: 2 } },
        { stream: "Loaded image: app:1\n" },
      ]);
    });
    await engine.ping();
    const progress: unknown[] = [];
    const messages = await engine.images.load(once("ab", "", "cd"), {
      onProgress: (each) => progress.push(each),
    });
    expect(body).toBe("abcd");
    expect(messages).toEqual([{ stream: "Loaded image: app:1\n" }]);
    expect(progress).toHaveLength(2);
    const [ping, load] = [fake.calls[0], fake.callsOf("POST", "/images/load")[0]];
    expect(load?.headers).toMatchObject({
      connection: "close",
      "transfer-encoding": "chunked",
      "content-type": "application/x-tar",
    });
    expect(load?.connection).not.toBe(ping?.connection);
  });

  it("FLT-23 an archive of no bytes is an error, and nothing is sent", async () => {
    await expect(engine.images.load(once("", ""))).rejects.toMatchObject({ code: "ENGINE_EMPTY_BODY" });
    expect(fake.callsOf("POST", "/images/load")).toEqual([]);
  });

  it("FLT-23 an error in the stream is an error, though the status was 200", async () => {
    fake.on("POST", "/images/load", async (call) => {
      await call.body();
      call.lines([
        { stream: "…" },
        { errorDetail: { message: "no space left on device" }, error: "no space left" },
      ]);
    });
    await expect(engine.images.load(once("tar"))).rejects.toMatchObject({
      code: "ENGINE_STREAM",
      engineMessage: "no space left on device",
      path: "/v1.41/images/load",
    });
  });

  it("FLT-23 a refusal during the upload keeps its status and message, and lets go of the source", async () => {
    fake.on("POST", "/images/load", ({ response, request }) => {
      request.once("data", () => {
        response.writeHead(507, { "content-type": "application/json" }).end('{"message":"disk full"}');
        request.pause();
      });
    });
    const { state, source } = endless();
    await expect(engine.images.load(source)).rejects.toMatchObject({
      code: "ENGINE_STATUS",
      status: 507,
      engineMessage: "disk full",
    });
    expect(state.returned).toBe(true);
  });

  it("FLT-23 an engine that answers and closes at once is heard, time after time", async () => {
    fake.on("POST", "/images/load", ({ response, request, socket }) => {
      request.once("data", () => {
        response.writeHead(500, { connection: "close" }).end('{"message":"no"}', () => socket.destroy());
      });
    });
    for (let i = 0; i < 30; i++) {
      await expect(engine.images.load(endless().source)).rejects.toMatchObject({
        status: 500,
        engineMessage: "no",
      });
    }
  });

  it("FLT-23 an error element during the upload ends the upload", async () => {
    fake.on("POST", "/images/load", (call) => {
      call.request.once("data", () => {
        call.request.pause();
        call.lines([{ error: "invalid tar header" }], { open: true });
      });
    });
    const { state, source } = endless();
    await expect(engine.images.load(source)).rejects.toMatchObject({ engineMessage: "invalid tar header" });
    expect(state.returned).toBe(true);
  });

  it("FLT-23 an engine that dies during the upload is an error that names the call", async () => {
    fake.on("POST", "/images/load", (call) => void call.request.once("data", () => call.cut()));
    const { state, source } = endless();
    await expect(engine.images.load(source)).rejects.toMatchObject({
      code: "ENGINE_CONNECTION_LOST",
      message: expect.stringContaining("POST /v1.41/images/load") as string,
    });
    expect(state.returned).toBe(true);
  });

  it("an engine that reports success before it has read everything is believed", async () => {
    fake.on("POST", "/images/load", (call) => {
      call.request.once("data", () => {
        call.request.pause();
        call.lines([{ stream: "Loaded image: a\n" }]);
      });
    });
    expect(await engine.images.load(endless().source)).toEqual([{ stream: "Loaded image: a\n" }]);
  });

  it("an error of the source is thrown as it is, and the engine sees no whole upload", async () => {
    const broken = new Error("disk on fire");
    let whole: unknown;
    const seen = new Promise<void>((resolve) => {
      fake.on("POST", "/images/load", ({ request }) => {
        request
          .on("error", () => {})
          .on("close", () => {
            whole = request.complete;
            resolve();
          })
          .resume();
      });
    });
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.from("first");
      throw broken;
    }
    await expect(engine.images.load(failing())).rejects.toBe(broken);
    await seen;
    expect(whole).toBe(false);
  });

  it("an error of the source while the engine already answers is thrown as it is", async () => {
    const broken = new Error("disk on fire");
    let fail: () => void = () => {};
    const failed = new Promise<void>((resolve) => (fail = resolve));
    fake.on("POST", "/images/load", (call) => {
      call.request.on("error", () => {}).resume();
      call.lines([{ status: "Loading" }], { open: true });
    });
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.from("first");
      await failed;
      throw broken;
    }
    await expect(engine.images.load(failing(), { onProgress: () => fail() })).rejects.toBe(broken);
  });

  it("ends with its signal, with the source waiting", async () => {
    const abort = new AbortController();
    const source = new Readable({ read() {} });
    source.push("first");
    fake.on("POST", "/images/load", ({ request }) => {
      request.on("error", () => {}).once("data", () => abort.abort("stop"));
    });
    await expect(engine.images.load(source, { signal: abort.signal })).rejects.toMatchObject({
      code: "ABORTED",
      cause: "stop",
    });
    expect(source.destroyed).toBe(true);
  });

  it("ends with its signal before the first byte", async () => {
    const abort = new AbortController();
    const source = new Readable({ read: () => abort.abort() });
    await expect(engine.images.load(source, { signal: abort.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect(source.destroyed).toBe(true);
  });

  it("MEM-3 FLT-17 an engine that stops reading stops the source, and has a deadline", async () => {
    fake.on("POST", "/images/load", ({ request }) => void request.pause());
    const { state, source } = endless();
    await expect(engine.images.load(source, { milliseconds: 200 })).rejects.toMatchObject({
      code: "DEADLINE",
    });
    expect(state.blocks).toBeLessThan(64);
    expect(state.returned).toBe(true);
  });

  it("FLT-17 an engine that does not answer after the last byte has a deadline", async () => {
    fake.on("POST", "/images/load", async (call) => void (await call.body()));
    await expect(engine.images.load(once("tar"), { milliseconds: 50 })).rejects.toMatchObject({
      code: "DEADLINE",
    });
  });

  it("close() of the client ends it", async () => {
    fake.on("POST", "/images/load", ({ request }) => {
      request.on("error", () => {}).once("data", () => void engine.close());
    });
    await expect(engine.images.load(endless().source)).rejects.toMatchObject({ code: "ENGINE_CLOSED" });
  });
});

describe("containers.putArchive", () => {
  it("SEC-11 sends an uncompressed tar without Content-Encoding", async () => {
    let body: Buffer = Buffer.alloc(0);
    fake.on("PUT", "/containers/:id/archive", async (call) => {
      body = await call.body();
      call.empty(200);
    });
    await engine.containers.putArchive("c1", {
      path: "/etc",
      body: Buffer.from("buildkit/"),
      noOverwriteDirNonDir: true,
    });
    const [call] = fake.callsOf("PUT", "/containers/c1/archive");
    expect(body.toString()).toBe("buildkit/");
    expect(call?.query).toEqual({ path: "/etc", noOverwriteDirNonDir: "true" });
    expect(call?.headers["content-type"]).toBe("application/x-tar");
    expect(call?.headers["content-encoding"]).toBeUndefined();
  });

  it.each([
    ["gzip", [0x1f, 0x8b, 8]],
    ["bzip2", [0x42, 0x5a, 0x68, 0x39]],
    ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
    ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ])("SEC-11 refuses %s before a byte is sent, also when it comes byte by byte", async (name, magic) => {
    const bytes = Buffer.from([...magic, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const body of [bytes, Readable.from([...bytes].map((byte) => Buffer.from([byte])))]) {
      await expect(engine.containers.putArchive("c1", { path: "/etc", body })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(name) as string,
      });
    }
    expect(fake.callsOf("PUT", "/containers/c1/archive")).toEqual([]);
  });

  it("a short body is sent too", async () => {
    let body: Buffer = Buffer.alloc(0);
    fake.on("PUT", "/containers/:id/archive", async (call) => {
      body = await call.body();
      call.empty(200);
    });
    await engine.containers.putArchive("c1", { path: "/etc", body: once("a", "b") });
    expect(body.toString()).toBe("ab");
  });

  it("a refusal keeps its message", async () => {
    fake.on("PUT", "/containers/:id/archive", (call) => call.refuse(404, "no such directory"));
    await expect(
      engine.containers.putArchive("c1", { path: "/no", body: Buffer.from("x") }),
    ).rejects.toMatchObject({
      code: "ENGINE_NOT_FOUND",
      engineMessage: "no such directory",
    });
  });

  it.each(["etc", "", "/a\0b"])("the path %j is refused", async (path) => {
    await expect(engine.containers.putArchive("c1", { path, body: Buffer.from("x") })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});
