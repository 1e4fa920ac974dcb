import { PassThrough, Readable, Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type ExecAnswer,
  FakeResult,
  cancelled,
  ended,
  failedStep,
} from "../../../test/support/fake-result.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import type { BuildError } from "../build-error.js";
import { build } from "../build.js";
import { files } from "../contexts.js";
import { type OpenCallOptions, openResult } from "../open-result.js";
import type { OpenResult } from "./open-result.js";
import type { ExecOptions } from "./process.js";

let fake: FakeResult;
let result: OpenResult;

const context = files({ Dockerfile: "FROM scratch\n" });
const open = (options: Partial<OpenCallOptions> = {}) =>
  openResult({ builder: "b", env: fake.builder.env, context, ...options });
const refused = (message: string, code: number = grpcCodes.unknown) =>
  Promise.reject(new GrpcError(code, message));
const exec = (options: ExecOptions = {}) => result.exec(["tool"], options);
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ code: "none", message: JSON.stringify(value) }),
    (error: Error & { code?: string }) => ({ code: error.code, message: error.message, cause: error.cause }),
  );

describe("a command in a result", () => {
  beforeAll(async () => {
    fake = await FakeResult.open();
    const config = { Env: ["PATH=/bin", "A=1"], WorkingDir: "", User: "app", Cmd: 7 };
    fake.script.solve = () =>
      Promise.resolve({
        result: {
          result: { case: "ref", value: { id: "r" } },
          metadata: { "containerimage.config": Buffer.from(JSON.stringify({ config })) },
        },
      });
    result = await open();
  });
  beforeEach(() => {
    fake.script = {};
    fake.begun.length = 0;
  });
  // Whatever happens to it, its container is put away.
  afterEach(() => expect(fake.containers.size).toBe(0));
  afterAll(async () => {
    await result.close();
    await fake[Symbol.asyncDispose]();
  });

  it("gets what the image says and what it is told, and gives what it prints and how it ended", async () => {
    fake.script.exec = async function* () {
      yield { case: "File", value: { Fd: 7, Data: Buffer.from("nobody asked for it") } };
      yield* ended(3, [1, "out"], [2, "err"], [1, ""], [1, "put"]);
    };
    const told = await exec({ env: { A: "2", "=": "odd" }, user: "root" });
    expect(told).toEqual({ exitCode: 3, stdout: Buffer.from("output"), stderr: Buffer.from("err") });
    expect(fake.begun).toMatchObject([
      {
        Meta: { args: ["tool"], env: ["PATH=/bin", "A=2", "==odd"], cwd: "/", user: "root" },
        Fds: [0, 1, 2],
        Tty: false,
      },
    ]);
  });

  it("gets its input in pieces, the sizes of its terminal, and the end of its input", async () => {
    const got: unknown[] = [];
    let bytes = 0;
    fake.script.exec = async function* (requests) {
      for await (const { Input } of requests) {
        if (Input.case === "Resize") got.push([Input.value.Cols, Input.value.Rows]);
        if (Input.case === "File") bytes += Input.value.Data.length;
        if (Input.case === "File" && Input.value.EOF) got.push("end");
        if (got.length === 3) break;
      }
      yield* ended(0);
    };
    async function* sizes() {
      yield { columns: 100, rows: 30 };
    }
    const stdin = Readable.from([Buffer.alloc(150_000), "text"]);
    await exec({ stdin, tty: { columns: 80, rows: 24 }, resizes: sizes() });
    expect(got).toContainEqual([80, 24]);
    expect(got).toContainEqual([100, 30]);
    expect(bytes).toBe(150_004);
    expect(fake.begun[0]).toMatchObject({ Fds: [0, 1], Tty: true });
  });

  it("is over when it has ended, whatever its input and the sizes of its terminal still wait for", async () => {
    const stdin = new PassThrough();
    let isReturned = false;
    const resizes = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: () => ((isReturned = true), Promise.reject(new Error("nobody hears this"))),
      }),
    };
    expect(await exec({ stdin, resizes })).toMatchObject({ exitCode: 0 });
    expect(stdin.destroyed).toBe(true);
    expect(isReturned).toBe(true);
    async function* silent(): AsyncGenerator<Uint8Array> {
      await new Promise(() => {});
      yield Buffer.alloc(0);
    }
    expect(await exec({ stdin: silent() })).toMatchObject({ exitCode: 0 });
  });

  it("fails with what its input fails with", async () => {
    fake.script.exec = (_requests, call) => ({
      [Symbol.asyncIterator]: () => ({ next: () => cancelled(call) }),
    });
    for (const later of [queueMicrotask, setImmediate, (fail: () => void) => setTimeout(fail, 10)]) {
      const broken = new Readable({ read() {} });
      later(() => broken.destroy(new Error("the disk is gone")));
      expect((await outcome(exec({ stdin: broken }))).message).toBe("the disk is gone");
    }
    const dead = new PassThrough().on("error", () => {});
    dead.destroy(new Error("dead before"));
    expect((await outcome(exec({ stdin: dead }))).message).toBe("dead before");
    async function* sizes() {
      yield { columns: 1, rows: 1 };
      throw new Error("no terminal any more");
    }
    expect((await outcome(exec({ resizes: sizes() }))).message).toBe("no terminal any more");
  });

  it.each([
    ["says nothing", () => ({})],
    ["prints nothing and takes no input", () => ({ stdin: Buffer.alloc(1 << 20) })],
    ["prints to who takes nothing", () => ({ stdout: new Writable({ highWaterMark: 1, write() {} }) })],
    ["prints to a web stream that takes nothing", () => ({ stdout: blocked() })],
  ] as const)("that %s and never ends is over when it is cancelled", async (_what, options) => {
    const abort = new AbortController();
    const reason = new Error("enough");
    fake.script.exec = async function* (_requests, call): AsyncGenerator<ExecAnswer> {
      yield { case: "Started", value: {} };
      yield { case: "File", value: { Fd: 1, Data: Buffer.alloc(1000) } };
      setTimeout(() => abort.abort(reason), 10);
      await cancelled(call);
    };
    expect(await outcome(exec({ ...options(), signal: abort.signal }))).toMatchObject({
      code: "ABORTED",
      cause: reason,
    });
  });

  it("is not begun when it is cancelled before", async () => {
    expect(await outcome(exec({ signal: AbortSignal.abort(new Error("no")) }))).toMatchObject({
      code: "ABORTED",
    });
    expect(fake.begun).toEqual([]);
  });

  it("whose output goes to a stream that is closed or broken is over at once, printing or not", async () => {
    fake.script.exec = (_requests, call) => ({
      [Symbol.asyncIterator]: () => ({ next: () => cancelled(call) }),
    });
    const closed = new PassThrough();
    closed.destroy();
    expect((await outcome(exec({ stdout: closed }))).message).toContain("takes no more: it was closed");
    const ended = new PassThrough();
    ended.end();
    expect((await outcome(exec({ stderr: ended }))).message).toContain("takes no more: it was closed");
    const errored = new PassThrough().on("error", () => {});
    errored.destroy(new Error("EPIPE before"));
    expect((await outcome(exec({ stdout: errored }))).message).toBe("EPIPE before");
    expect(fake.begun).toEqual([]);
    const later = new PassThrough();
    setTimeout(() => later.destroy(new Error("EPIPE later")), 10);
    expect((await outcome(exec({ stdout: later }))).message).toBe("EPIPE later");
    const left = new PassThrough();
    setTimeout(() => left.destroy(), 10);
    expect((await outcome(exec({ stderr: left }))).message).toContain("takes no more: it was closed");
  });

  it("leaves nothing of it on the streams that it was given", async () => {
    const out = new PassThrough();
    out.resume();
    const before = out.eventNames().length;
    for (let times = 0; times < 3; times++) await exec({ stdout: out, stderr: out });
    expect(out.eventNames().length).toBeLessThanOrEqual(before + 1);
    expect(out.listenerCount("error")).toBeLessThanOrEqual(1);
    expect(out.listenerCount("close")).toBe(0);
    expect(out.writableEnded).toBe(false);
  });

  it("prints as fast as its output is taken", async () => {
    let taken = 0;
    const slow = new Writable({
      highWaterMark: 10,
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.length;
        setImmediate(done);
      },
    });
    fake.script.exec = () =>
      ended(0, ...Array.from({ length: 20 }, (): [number, string] => [1, "x".repeat(999)]));
    await exec({ stdout: slow });
    expect(taken).toBe(20 * 999);
  });

  it.each([
    ["ends without saying how", () => nothing(), "BUILDKIT_PROTOCOL", /does not tell how the command ended/],
    [
      "says that there was no process",
      () => exited(255, "unable to find user nobody-here"),
      "RESULT_EXEC",
      /cannot be run: unable to find user nobody-here$/,
    ],
    ["says so without a reason", () => exited(255), "RESULT_EXEC", /cannot be run: no reason given/],
    [
      "refuses the process",
      () => refusing("no such process"),
      "RESULT_EXEC",
      /cannot be run: no such process$/,
    ],
  ] as const)("of a daemon that %s fails", async (_what, script, code, message) => {
    fake.script.exec = script;
    expect(await outcome(exec())).toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  it("that ends with 255 itself is no failure", async () => {
    const exit = {
      typeUrl: "github.com/moby/buildkit/gatewayapi.ExitMessage+json",
      value: Buffer.from('{"Code":255}'),
    };
    fake.script.exec = async function* () {
      yield {
        case: "Exit",
        value: { Code: 255, Error: { code: 2, message: "exit code: 255", details: [exit] } },
      };
    };
    expect(await exec()).toMatchObject({ exitCode: 255 });
  });

  it("in a container that is refused is told as that", async () => {
    fake.script.newContainer = () => refused("no mount for /");
    expect(await outcome(exec())).toMatchObject({
      code: "RESULT_EXEC",
      message: expect.stringContaining("no mount for /") as string,
    });
  });

  it("that prints too much is ended, and options of the wrong kind are refused by name", async () => {
    fake.script.exec = async function* (_requests, call) {
      yield { case: "File", value: { Fd: 2, Data: Buffer.alloc(11) } };
      await cancelled(call);
    };
    expect((await outcome(exec({ maxOutput: 10 }))).message).toContain(
      "more than 10 bytes: give exec() a stream as stderr",
    );
    for (const wrong of [{ stdin: 7 }, { stdout: "out.txt" }, { cwd: 1 }, { env: { A: 1 } }, { ttty: true }])
      expect(await outcome(exec(wrong as object))).toMatchObject({ code: "INVALID_ARGUMENT" });
    for (const argv of [[], "ls", ["ls", 7]])
      expect(await outcome(result.exec(argv as string[]))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("whose container the daemon does not put away is over nevertheless", async () => {
    fake.script.releaseContainer = () => refused("it is busy");
    expect(await exec()).toMatchObject({ exitCode: 0 });
    fake.containers.clear();
  });
});

function blocked(): WritableStream {
  return new WritableStream({ write: () => new Promise(() => {}) }, { highWaterMark: 1 });
}

async function* nothing(): AsyncGenerator<never> {}

async function* exited(Code: number, message?: string) {
  const value = { Code, ...(message !== undefined && { Error: { code: 2, message } }) };
  yield { case: "Exit" as const, value };
}

// oxlint-disable-next-line require-yield
async function* refusing(message: string): AsyncGenerator<never> {
  throw new GrpcError(grpcCodes.unknown, message);
}

describe("a result", () => {
  beforeEach(async () => void (fake = await FakeResult.open()));
  afterEach(() => fake[Symbol.asyncDispose]());

  it("that is closed ends what runs in it, and says so afterwards", async () => {
    const opened = await open();
    fake.script.exec = (_requests, call) => ({
      [Symbol.asyncIterator]: () => ({ next: () => cancelled(call) }),
    });
    fake.script.readFile = (_request, call) => cancelled(call);
    const running = outcome(opened.exec(["sleep", "600"]));
    const reading = outcome(opened.readFile("/f"));
    await vi.waitUntil(() => fake.begun.length === 1);
    await opened.close();
    expect(await running).toMatchObject({ code: "RESULT_CLOSED" });
    expect(await reading).toMatchObject({ code: "RESULT_CLOSED" });
    expect(await outcome(opened.exec(["ls"]))).toMatchObject({ code: "RESULT_CLOSED" });
    for (const call of ["readFile", "readDir", "stat"] as const)
      expect(await outcome(opened[call]("/f"))).toMatchObject({ code: "RESULT_CLOSED" });
    await opened.close();
    expect(fake.returned).toHaveLength(1);
  });

  it("whose daemon is lost in a command tells that, then and afterwards", async () => {
    const opened = await open();
    fake.script.exec = (_requests, call) => ({
      [Symbol.asyncIterator]: () => ({ next: () => cancelled(call) }),
    });
    const running = outcome(opened.exec(["sleep", "600"]));
    await vi.waitUntil(() => fake.begun.length === 1);
    Object.assign(fake.builder.state, { Status: "exited", Running: false, ExitCode: 137, OOMKilled: true });
    await fake.builder.daemon[Symbol.asyncDispose]();
    expect(await running).toMatchObject({ code: "BUILDKIT_CONNECTION_LOST" });
    await vi.waitFor(async () =>
      expect(await outcome(opened.readFile("/f"))).toMatchObject({
        code: "RESULT_CLOSED",
        message: expect.stringContaining("was killed") as string,
      }),
    );
    await opened.close();
  });

  it("that is forgotten is closed by itself, but not while it is used, and not before its time", async () => {
    const opened = await open({ idleMilliseconds: 40 });
    fake.script.exec = async function* () {
      await new Promise((resolve) => setTimeout(resolve, 80));
      yield* ended(0);
    };
    expect(await opened.exec(["slow"])).toMatchObject({ exitCode: 0 });
    await vi.waitUntil(() => fake.returned.length === 1);
    expect(await outcome(opened.readFile("/f"))).toMatchObject({
      code: "RESULT_CLOSED",
      message: expect.stringContaining("was not used for 0.04 s") as string,
    });
    // Longer than a timer of Node's can be.
    const long = await open({ idleMilliseconds: 2 ** 40 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await long.exec(["tool"])).toMatchObject({ exitCode: 0 });
    await long.close();
  });

  it("is closed by the signal that it was made with, and not made when that is aborted meanwhile", async () => {
    const abort = new AbortController();
    const opened = await open({ signal: abort.signal });
    fake.script.exec = (_requests, call) => ({
      [Symbol.asyncIterator]: () => ({ next: () => cancelled(call) }),
    });
    const running = outcome(opened.exec(["sleep", "600"]));
    await vi.waitUntil(() => fake.begun.length === 1);
    abort.abort(new Error("enough"));
    expect(["ABORTED", "RESULT_CLOSED"]).toContain((await running).code);
    await opened.close();
    const second = new AbortController();
    fake.script.solve = (call) => {
      setTimeout(() => second.abort(), 5);
      return cancelled(call);
    };
    expect(await outcome(open({ signal: second.signal }))).toMatchObject({ code: "ABORTED" });
  });

  it("of a build that fails is an error, and of several nodes or with outputs is refused", async () => {
    fake.script.solve = () => refused("no such frontend");
    expect(await outcome(open())).toMatchObject({ code: "BUILD_FAILED" });
    expect(await outcome(open({ outputs: [{ type: "tar", dest: "x" }] }))).toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(fake.returned).toHaveLength(1);
  });

  it.each([
    ["an old daemon's text", { case: "refDeprecated", value: "r" }, []],
    [
      "an old daemon's texts",
      { case: "refsDeprecated", value: { refs: { "linux/arm64": "a" } } },
      ["linux/arm64"],
    ],
    ["nothing", { case: undefined }, []],
    [
      "two",
      { case: "refs", value: { refs: { "linux/arm64": { id: "a" }, "linux/amd64": { id: "b" } } } },
      ["linux/amd64", "linux/arm64"],
    ],
  ] as const)("that is %s is looked into", async (_what, given, platforms) => {
    fake.script.solve = () => Promise.resolve({ result: { result: given } } as object);
    await using opened = await open();
    expect(opened.platforms).toEqual(platforms);
    const asked = platforms.length === 2 ? { platform: "linux/arm64" } : {};
    expect(await opened.readDir("/", asked)).toEqual([]);
    if (platforms.length === 2) {
      expect((await outcome(opened.readDir("/"))).message).toContain("say which by platform");
      expect((await outcome(opened.readDir("/", { platform: "linux/s390x" }))).message).toContain(
        "nothing for linux/s390x, only for linux/amd64, linux/arm64",
      );
    }
  });

  it("of a frontend that calls its results what no platform is called is used by these names", async () => {
    const value = { refs: { "linux/a/b/c/d": { id: "a" }, "../..": { id: "b" } } };
    fake.script.solve = () => Promise.resolve({ result: { result: { case: "refs", value } } });
    await using opened = await open();
    expect(opened.platforms).toEqual(["../..", "linux/a/b/c/d"]);
    expect(await opened.exec(["ls"], { platform: "../.." })).toMatchObject({ exitCode: 0 });
  });

  it("has files of every kind, whatever the daemon says of them", async () => {
    const entry = (path: string, mode: number, more: object = {}) => ({
      path: Buffer.from(path),
      mode,
      ...more,
    });
    fake.script.readDir = () => ({
      entries: [
        entry("sub/dir", 0x8000_0000 + 0o755),
        entry("link", 0x0800_0000, { linkname: Buffer.from("../x"), size: -1n, modTime: -(2n ** 63n) }),
        entry("pipe", 0x0200_0000),
        entry("__proto__", 0o4644, { size: 2n ** 62n, modTime: 2n ** 63n - 1n }),
      ],
    });
    await using opened = await open();
    const entries = await opened.readDir("/");
    expect(entries.map(({ name, type, target }) => [name, type, target])).toEqual([
      ["dir", "directory", undefined],
      ["link", "symlink", "../x"],
      ["pipe", "other", undefined],
      ["__proto__", "file", undefined],
    ]);
    for (const { mtime } of entries) expect(Number.isNaN(mtime.getTime())).toBe(false);
    expect(await outcome(opened.stat("/f"))).toMatchObject({ code: "RESULT_FILE" });
    fake.script.statFile = () => ({ stat: entry("f", 0x8000_0000) });
    expect((await outcome(opened.readFile("/f"))).message).toBe("/f in the result is a directory");
    expect(await opened.stat("/f")).toMatchObject({ type: "directory" });
    fake.script.statFile = () => refused("open /tmp/buildkit-mount123/f/x: not a directory");
    expect((await outcome(opened.readFile("/f/x"))).message).toBe(
      "/f/x cannot be read from the result: open /f/x: not a directory",
    );
  });
});

describe("a step that failed and is kept", () => {
  const exec = {
    meta: { args: ["false"], env: ["A=1"], cwd: "/srv", user: "app" },
    mounts: [{ dest: "/" }, { dest: "/srv/cache", selector: "/sub" }, { dest: "/srv/cache/deep/" }],
  };

  beforeEach(async () => {
    fake = await FakeResult.open();
    fake.script.solve = () => Promise.reject(failedStep("process did not complete", ["m0", "m1"], { exec }));
  });
  afterEach(() => fake[Symbol.asyncDispose]());

  const failing = async (options: object = {}): Promise<BuildError> => {
    const call = { builder: "b", env: fake.builder.env, context, onFailure: "keep" as const, ...options };
    return build({ ...call, outputs: [{ type: "cacheonly" }] }).then(
      () => expect.fail("should have failed"),
      (error: BuildError) => error,
    );
  };

  it("is looked into by its mounts, and run in as it was run", async () => {
    await using error = await failing();
    expect(error).toMatchObject({ code: "BUILD_FAILED", step: { exitCode: 1 } });
    const asked: unknown[] = [];
    fake.script.statFile = (request) => {
      asked.push([request.Path, request.MountIndex]);
      return { stat: { path: Buffer.from(request.Path) } };
    };
    for (const path of ["/etc", "srv/cache/x", "/srv/cache", "/srv/cached", "/srv/cache/deep/er", "/"])
      await error.files?.stat(path);
    expect(asked).toEqual([
      ["/etc", 0],
      ["/sub/x", 1],
      ["/sub/", 1],
      ["/srv/cached", 0],
      ["/er", 2],
      ["/", 0],
    ]);
    await error.files?.exec(["sh"]);
    expect(fake.begun).toMatchObject([{ Meta: { cwd: "/srv", user: "app", env: ["A=1"] } }]);
    fake.script.readFile = () => refused("not known", grpcCodes.unimplemented);
    expect(await outcome(error.files?.readFile("/x") ?? Promise.resolve())).toMatchObject({
      code: "BUILDKIT_TOO_OLD",
    });
  });

  it("is let go of when its error is disposed of, and the daemon is told the failure", async () => {
    const error = await failing();
    const { files: kept } = error;
    await error[Symbol.asyncDispose]();
    await error[Symbol.asyncDispose]();
    expect(await outcome(kept?.stat("/") ?? Promise.resolve())).toMatchObject({ code: "RESULT_CLOSED" });
    expect(fake.returned).toMatchObject([{ error: { message: "process did not complete" } }]);
  });

  it("that has no mounts, or whose container is refused, is told as any other failure", async () => {
    fake.script.newContainer = () => refused("no room");
    const error = await failing();
    expect(error).toMatchObject({ code: "BUILD_FAILED" });
    expect(error.files).toBeUndefined();
    delete fake.script.newContainer;
    fake.script.solve = () => refused("no such file: /x");
    expect((await failing()).files).toBeUndefined();
  });

  it("is over when the build is cancelled, and nothing is kept of one that went well", async () => {
    const abort = new AbortController();
    const error = await failing({ signal: abort.signal });
    abort.abort();
    await vi.waitFor(async () =>
      expect((await outcome(error.files?.stat("/") ?? Promise.resolve())).code).toBe("RESULT_CLOSED"),
    );
    await error[Symbol.asyncDispose]();
    delete fake.script.solve;
    const call = { builder: "b", env: fake.builder.env, context, onFailure: "keep" as const };
    expect(await build({ ...call, outputs: [{ type: "cacheonly" }] })).toMatchObject({ warnings: [] });
  });
});
