import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEngine, stdcopyFrame as frame } from "../../test/support/fake-engine.js";
import { EngineClient } from "./client.js";
import type { EngineError } from "./errors.js";
import { execDial } from "./exec-dial.js";

let fake: FakeEngine;
let engine: EngineClient;

beforeEach(async () => {
  fake = await FakeEngine.start();
  engine = EngineClient.open({ host: fake.host });
  fake.on("POST", "/containers/c1/exec", (call) => call.json({ Id: "e1" }, 201));
});

afterEach(async () => {
  await engine.close();
  await fake.idle();
  await fake.close();
});

/** Scripts the process of exec e1. */
function process(script: (socket: Duplex) => void, early?: Buffer): void {
  fake.on("POST", "/exec/e1/start", async (call) => script(await call.hijack(early)));
}

function exits(code: number): void {
  fake.on("GET", "/exec/e1/json", (call) => call.json({ ID: "e1", Running: false, ExitCode: code }));
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe("exec", () => {
  it("asks for the raw connection and gets bytes that came right behind the answer", async () => {
    let body: unknown;
    fake.on("POST", "/exec/e1/start", async (call) => {
      body = await call.jsonBody();
      const socket = await call.hijack(frame(1, "early "));
      socket.end(frame(1, "late"));
    });
    const id = await engine.exec.create("c1", { cmd: ["true"], attachStdin: true });
    const stream = await engine.exec.start(id);
    expect(await text(stream)).toBe("early late");
    expect(body).toEqual({ Detach: false, Tty: false });
    expect(fake.callsOf("POST", "/exec/e1/start")[0]?.headers).toMatchObject({
      connection: "upgrade",
      upgrade: "tcp",
      "content-type": "application/json",
    });
  });

  it("an empty id is an error", async () => {
    fake.on("POST", "/containers/c1/exec", (call) => call.json({ Id: "" }, 201));
    await expect(engine.exec.create("c1", { cmd: ["x"] })).rejects.toMatchObject({
      message: "exec ID empty",
    });
  });

  it("FLT-14 a refusal keeps its status and message", async () => {
    fake.on("POST", "/exec/e1/start", (call) => call.refuse(409, "Container c1 is paused"));
    await expect(engine.exec.start("e1")).rejects.toMatchObject({
      code: "ENGINE_CONFLICT",
      status: 409,
      engineMessage: "Container c1 is paused",
      path: "/v1.41/exec/e1/start",
    });
  });

  it("FLT-19 a proxy that answers 200 is named", async () => {
    fake.on("POST", "/exec/e1/start", ({ response }) => {
      response.writeHead(200, { server: "haproxy" }).write("");
    });
    const error = (await engine.exec.start("e1").catch((reason: unknown) => reason)) as EngineError;
    expect(error).toMatchObject({ code: "ENGINE_UPGRADE_REFUSED", status: 200 });
    expect(error.message).toContain("unable to upgrade to tcp, received 200");
    expect(error.message).toContain('"haproxy"');
  });

  it("a deadline holds for the answer", async () => {
    fake.on("POST", "/exec/e1/start", () => {});
    await expect(engine.exec.start("e1", { milliseconds: 20 })).rejects.toMatchObject({ code: "DEADLINE" });
  });

  it("carries 16 MiB there and back, through frames of all sizes", async () => {
    process((socket) => {
      socket.on("data", (chunk: Buffer) => {
        for (let at = 0; at < chunk.length; at += 10_007) {
          if (!socket.write(frame(1, chunk.subarray(at, at + 10_007)))) socket.pause();
        }
      });
      socket.on("drain", () => socket.resume());
      socket.on("end", () => socket.end());
    });
    const stream = await engine.exec.start("e1");
    const sent = createHash("sha256");
    const got = createHash("sha256");
    const writing = (async () => {
      for (let i = 0; i < 64; i++) {
        const chunk = randomBytes(256 * 1024);
        sent.update(chunk);
        if (!stream.write(chunk)) await once(stream, "drain");
      }
      stream.end();
    })();
    for await (const chunk of stream as AsyncIterable<Buffer>) got.update(chunk);
    await writing;
    expect(got.digest("hex")).toBe(sent.digest("hex"));
  });

  it("MEM-3 a reader that does not read stops the sender", async () => {
    const block = frame(1, Buffer.alloc(64 * 1024));
    let sent = 0;
    process((socket) => {
      const more = () => {
        while (sent < 1_000 && ((sent += 1), socket.write(block)));
      };
      socket.on("drain", more);
      more();
    });
    const stream = await engine.exec.start("e1");
    // Turns of the loop, in which an unbounded reader would have taken everything.
    for (let i = 0; i < 2_000; i++) await new Promise(setImmediate);
    expect(sent).toBeLessThan(64);
    stream.destroy();
  });

  it("stderr goes to the callback and is kept, its end at least", async () => {
    process((socket) => {
      for (let i = 0; i < 40; i++) socket.write(frame(2, String(i).padStart(8, "0").repeat(1024)));
      socket.end(Buffer.concat([frame(1, "out"), frame(2, "the end")]));
    });
    let length = 0;
    const stream = await engine.exec.start("e1", { onStderr: (data) => void (length += data.length) });
    expect(await text(stream)).toBe("out");
    expect(length).toBe(40 * 8192 + 7);
    expect(stream.stderrTail()).toHaveLength(64 * 1024);
    expect(stream.stderrTail().endsWith("00000039the end")).toBe(true);
  });

  it("FLT-10 the end of the output ends the stream at once, with the input still open", async () => {
    process((socket) => socket.end(frame(1, "bye")));
    const stream = await engine.exec.start("e1");
    stream.write("never read");
    expect(await text(stream)).toBe("bye");
    await (stream.closed ? undefined : once(stream, "close"));
    expect(stream.writableFinished).toBe(true);
  });

  it("FLT-10 an end inside a frame ends the stream, and can be told from a clean end", async () => {
    process((socket) => socket.end(frame(1, "whole").subarray(0, 10)));
    const stream = await engine.exec.start("e1");
    expect(await text(stream)).toBe("wh");
    expect(stream.truncated).toBe(true);
  });

  it("FLT-11 end() is a half-close: output that follows is still read", async () => {
    process((socket) => {
      socket.on("end", () => socket.end(frame(1, "after the end of input"))).resume();
    });
    const stream = await engine.exec.start("e1");
    stream.end("input");
    expect(await text(stream)).toBe("after the end of input");
  });

  it("an error of the daemon in the stream fails the stream", async () => {
    process((socket) => socket.end(frame(3, "lost the container")));
    const stream = await engine.exec.start("e1");
    await expect(text(stream)).rejects.toMatchObject({
      code: "ENGINE_STREAM",
      engineMessage: "lost the container",
    });
  });

  it("a connection that breaks is an error of the stream", async () => {
    process(() => {});
    const stream = await engine.exec.start("e1");
    // What the peer has not read when it closes makes a reset of the end.
    await new Promise<void>((resolve) => stream.write("unread", () => resolve()));
    fake.cutAll();
    await expect(text(stream)).rejects.toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
  });

  it("with a terminal the output is taken as it is", async () => {
    process((socket) => socket.end("raw\r\n"));
    const stream = await engine.exec.start("e1", { tty: true });
    expect(await text(stream)).toBe("raw\r\n");
  });

  it("close() of the client ends it", async () => {
    process(() => {});
    const stream = await engine.exec.start("e1");
    const closed = once(stream, "close").catch((error: unknown) => error);
    await engine.close();
    await closed;
    expect(stream.destroyed).toBe(true);
  });
});

describe("execDial", () => {
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const cmd = ["buildctl", "dial-stdio"];

  it("gives the process's stdin and stdout", async () => {
    process(
      (socket) => socket.on("data", (chunk: Buffer) => socket.write(frame(1, chunk))),
      frame(1, settings),
    );
    const stream = await execDial(engine, "c1", cmd)();
    stream.write("hello");
    const [first] = (await once(stream, "data")) as [Buffer];
    expect(first.subarray(0, 9)).toEqual(settings);
    stream.destroy();
  });

  it.each([
    ["on stdout, as Docker does", frame(1, 'OCI runtime exec failed: exec: "buildctl": not found\r\n')],
    ["on stderr", frame(2, 'OCI runtime exec failed: exec: "buildctl": not found\n')],
  ])("FLT-13 a process that cannot be started is told of %s", async (_where, bytes) => {
    process((socket) => socket.end(bytes));
    exits(127);
    const stream = await execDial(engine, "c1", cmd)();
    stream.write("PRI * HTTP/2.0");
    await expect(text(stream as AsyncIterable<Buffer>)).rejects.toMatchObject({
      code: "ENGINE_EXEC",
      exitCode: 127,
      stderr: 'OCI runtime exec failed: exec: "buildctl": not found',
      message:
        '"buildctl dial-stdio" in container c1 exited with code 127: OCI runtime exec failed: exec: "buildctl": not found',
    });
  });

  it("FLT-13 the exit code may take a moment to be known", async () => {
    process((socket) => socket.end());
    fake.on("GET", "/exec/e1/json", (call) =>
      call.json(call.count < 3 ? { Running: true, ExitCode: null } : { Running: false, ExitCode: 1 }),
    );
    const stream = await execDial(engine, "c1", cmd)();
    await expect(text(stream as AsyncIterable<Buffer>)).rejects.toMatchObject({
      code: "ENGINE_EXEC",
      exitCode: 1,
    });
  });

  it("FLT-13 what the process said is kept when the engine is gone", async () => {
    process((socket) => socket.end(frame(2, "no such file")));
    fake.on("GET", "/exec/e1/json", (call) => call.cut());
    const stream = await execDial(engine, "c1", cmd)();
    await expect(text(stream as AsyncIterable<Buffer>)).rejects.toMatchObject({
      code: "ENGINE_EXEC",
      exitCode: undefined,
      stderr: "no such file",
    });
  });

  it("a process that ends well without output ends the stream", async () => {
    process((socket) => socket.end());
    exits(0);
    const stream = await execDial(engine, "c1", cmd)();
    expect(await text(stream as AsyncIterable<Buffer>)).toBe("");
  });

  it("FLT-11 after end() it is destroyed when the process does not end", async () => {
    let ended: () => void = () => {};
    const halfClosed = new Promise<void>((resolve) => (ended = resolve));
    process((socket) => socket.on("end", ended).resume(), frame(1, settings));
    const stream = await execDial(engine, "c1", cmd)();
    await once(stream, "data");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      stream.end();
      await halfClosed;
      expect(stream.destroyed).toBe(false);
      vi.advanceTimersByTime(2_000);
      expect(stream.destroyed).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it("FLT-14 a container that is not running rejects the dial", async () => {
    fake.on("POST", "/containers/c1/exec", (call) => call.refuse(409, "container c1 is not running"));
    await expect(execDial(engine, "c1", cmd)()).rejects.toMatchObject({ code: "ENGINE_CONFLICT" });
  });

  it("an aborted signal rejects the dial", async () => {
    await expect(execDial(engine, "c1", cmd)(AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("run", () => {
  it("gives exit code and output", async () => {
    process((socket) => {
      socket.on("data", (chunk: Buffer) => socket.write(frame(1, chunk)));
      socket.on("end", () => socket.end(frame(2, "warn")));
    });
    exits(3);
    const { exitCode, stdout, stderr } = await engine.run("c1", ["cat"], { stdin: "hello" });
    expect({ exitCode, stdout: stdout.toString(), stderr: stderr.toString() }).toEqual({
      exitCode: 3,
      stdout: "hello",
      stderr: "warn",
    });
  });

  it("FLT-17 has a deadline for all of it", async () => {
    process(() => {});
    await expect(engine.run("c1", ["sleep"], { milliseconds: 50 })).rejects.toMatchObject({
      code: "DEADLINE",
    });
    await fake.closed(fake.callsOf("POST", "/exec/e1/start")[0]);
  });

  it("FLT-17 ends with its signal", async () => {
    const abort = new AbortController();
    process(() => abort.abort());
    await expect(engine.run("c1", ["sleep"], { signal: abort.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });

  it("output without end is an error", async () => {
    process((socket) => {
      const more = () => {
        while (socket.write(frame(1, Buffer.alloc(1024 * 1024))));
      };
      socket.on("drain", more).on("error", () => {});
      more();
    });
    await expect(engine.run("c1", ["yes"])).rejects.toMatchObject({ code: "ENGINE_TOO_LARGE" });
  });
});
