import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { FakeBuilder } from "../../test/support/fake-builder.js";
import type { FakeBuildkitd } from "../../test/support/fake-buildkitd.js";
import { exported, imageArchive } from "../../test/support/image-archive.js";
import { control, gateway } from "../buildkit/index.js";
import type { BuildEvent } from "../core/index.js";
import { GrpcError, type ServerCall, grpcCodes } from "../http2/index.js";
import { service } from "../session/index.js";
import type { BuildOptions } from "./build-options.js";
import { build } from "./build.js";
import { connect } from "./connect.js";
import { files } from "./contexts.js";

/** What the daemon of a build does at each of its calls; what is not scripted goes well at once. */
interface Script {
  info?(call: ServerCall): Promise<object>;
  solve?(call: ServerCall, daemon: FakeBuildkitd): Promise<object>;
  status?(call: ServerCall): AsyncIterable<object>;
  frontend?(call: ServerCall): Promise<object>;
}

let fake: FakeBuilder;
afterEach(() => fake[Symbol.asyncDispose]());

async function scripted(script: Script, platforms: readonly string[] = []): Promise<FakeBuilder> {
  let served = 0;
  const services = [
    service(control.Control, {
      info: (_request, call) => script.info?.(call) ?? { buildkitVersion: { version: "v0.34.2" } },
      solve: (_request, call) =>
        script.solve?.(call, fake.daemon) ?? { ExporterResponse: { served: `${served++}` } },
      status: (_request, call) => script.status?.(call) ?? nothing(),
    }),
    service(gateway.LLBBridge, {
      solve: (_request, call) => script.frontend?.(call) ?? {},
      return: () => ({}),
    }),
  ];
  return (fake = await FakeBuilder.open(services, platforms));
}

async function* nothing(): AsyncGenerator<object> {}

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve: () => resolve() };
}

/** Waits for as long as the caller does. */
async function hang(call: ServerCall): Promise<never> {
  if (!call.signal.aborted) await once(call.signal, "abort");
  throw new GrpcError(grpcCodes.cancelled, "the call was cancelled");
}

const context = files({ Dockerfile: "FROM scratch\n" });

/** Builds, and gives how it ended and what was told meanwhile. */
async function attempt(options: Partial<BuildOptions> = {}) {
  const events: BuildEvent[] = [];
  const outcome = await build({
    builder: "b",
    env: fake.env,
    context,
    outputs: [{ type: "cacheonly" }],
    onEvent: (event) => void events.push(event),
    ...options,
  }).catch((error: Error) => error);
  // Whatever happens, the end is told once, and last.
  expect(events.filter(({ type }) => type === "end")).toHaveLength(1);
  expect(events.at(-1)?.type).toBe("end");
  return { outcome, events };
}

async function exports(daemon: FakeBuildkitd, bytes: Uint8Array): Promise<object> {
  const { code, message } = await exported(daemon, bytes);
  if (code !== 0) throw new GrpcError(code < 0 ? grpcCodes.cancelled : code, message);
  return {};
}

const tarOutput = (dest: string) => ({ outputs: [{ type: "tar" as const, dest }] });

/** Each phase of a build: what is silent in it, and then what refuses in it. */
const phases: [phase: string, script: (stall: (call: ServerCall) => Promise<object>) => Script][] = [
  ["the first question to the daemon", (stall) => ({ info: stall })],
  ["the frontend", (stall) => ({ frontend: stall, solve: stall })],
  ["the solve", (stall) => ({ solve: stall })],
];

describe.each(phases)("a build in the phase of %s", (phase, script) => {
  it("that is cancelled is over, with the reason as its cause", async () => {
    const abort = new AbortController();
    const reason = new Error("not wanted");
    await scripted(
      script((call) => {
        setTimeout(() => abort.abort(reason), 20);
        return hang(call);
      }),
    );
    const { outcome } = await attempt({ signal: abort.signal });
    expect(outcome).toMatchObject({ code: "ABORTED", cause: reason });
  });

  it("that the daemon refuses fails with its words", async () => {
    // A daemon that does not answer Info yet is waited for.
    let calls = 0;
    await scripted(
      script(async () => {
        if (phase === "the first question to the daemon" && calls++ > 0)
          return { buildkitVersion: { version: "v0.9.0" } };
        throw new GrpcError(grpcCodes.permissionDenied, "the disk is full");
      }),
    );
    const { outcome } = await attempt();
    expect((outcome as Error).message).toMatch(calls > 0 ? /0\.9\.0/ : /the disk is full/);
  });

  it("whose builder is killed is told what became of it", async () => {
    let isFirst = true;
    await scripted(
      script(async (call) => {
        // The container ends, and its connections with it.
        Object.assign(fake.state, { Status: "exited", Running: false, OOMKilled: true });
        if (isFirst) setTimeout(() => void fake.daemon[Symbol.asyncDispose](), 10);
        isFirst = false;
        return hang(call);
      }),
    );
    const { outcome } = await attempt();
    expect((outcome as Error).message).toMatch(/^builder container buildx_buildkit_b0 was killed/);
  });
});

describe("a build before there is a daemon", () => {
  const name = "/containers/buildx_buildkit_b0";

  it.each([
    ["the engine is asked", "GET", `${name}/json`],
    ["the container is started", "POST", `${name}/start`],
  ] as const)("that is cancelled while %s is over", async (_what, method, path) => {
    await scripted({});
    const abort = new AbortController();
    fake.engine.on(method, path, () => void setTimeout(() => abort.abort(), 10));
    expect((await attempt({ signal: abort.signal })).outcome).toMatchObject({ code: "ABORTED" });
  });

  it.each([
    ["the engine is asked", "GET", `${name}/json`],
    ["the container is started", "POST", `${name}/start`],
  ] as const)("that is refused while %s fails with the engine's words", async (_what, method, path) => {
    await scripted({});
    fake.engine.on(method, path, (call) => call.refuse(500, "the engine is on fire"));
    expect((await attempt()).outcome).toMatchObject({
      message: expect.stringContaining("on fire") as string,
    });
  });

  it("whose engine breaks off fails", async () => {
    await scripted({});
    fake.engine.on("GET", `${name}/json`, (call) => call.cut());
    expect((await attempt()).outcome).toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
  });
});

describe("a build that exports", () => {
  const content = Buffer.alloc(100_000, "tar");

  it("writes what it gets", async () => {
    await scripted({ solve: (_call, daemon) => exports(daemon, content) });
    const dest = join(fake.dir, "out.tar");
    const { outcome } = await attempt(tarOutput(dest));
    expect(outcome).not.toBeInstanceOf(Error);
    expect((await readFile(dest)).equals(content)).toBe(true);
  });

  it("fails with what is wrong on this side, when the target breaks", async () => {
    await scripted({ solve: (_call, daemon) => exports(daemon, content) });
    const dest = new PassThrough();
    dest.once("pipe", () => dest.destroy(new Error("the reader has gone")));
    setTimeout(() => dest.destroy(new Error("the reader has gone")), 200);
    const { outcome } = await attempt({ outputs: [{ type: "tar", dest }] });
    expect((outcome as Error).message).toContain("the reader has gone");
  });

  it("that is cancelled while the target takes nothing is over, and leaves no file", async () => {
    const abort = new AbortController();
    const dest = new PassThrough();
    await scripted({
      solve: async (call, daemon) => {
        exported(daemon, Buffer.alloc(8 << 20)).catch(() => {});
        await vi.waitUntil(() => dest.writableNeedDrain, { timeout: 10_000 });
        abort.abort();
        return hang(call);
      },
    });
    const { outcome } = await attempt({ outputs: [{ type: "tar", dest }], signal: abort.signal });
    expect(outcome).toMatchObject({ code: "ABORTED" });
    await vi.waitUntil(() => dest.destroyed, { timeout: 5_000 });
  });

  it("loads an image into the engine, and fails with its words when that refuses", async () => {
    const archive = await imageArchive();
    await scripted({ solve: (_call, daemon) => exports(daemon, archive) });
    let got = 0;
    fake.engine.on("POST", "/images/load", async (call) => {
      got = (await call.body()).length;
      call.lines([{ stream: "Loaded image: app:1\n" }]);
    });
    fake.engine.on("GET", /^\/images\/.*\/json$/, (call) =>
      call.json({ Id: "sha256:x", RootFS: { Layers: [] } }),
    );
    const load = { outputs: [], load: true, tags: ["app:1"] };
    const { outcome } = await attempt(load);
    expect(outcome).not.toBeInstanceOf(Error);
    expect(got).toBeGreaterThan(1000);
  });

  it.each([
    [
      "refuses",
      (call: { lines(values: object[]): void }) =>
        call.lines([{ errorDetail: { message: "no space left" } }]),
      "no space left",
    ],
    ["breaks", (call: { cut(): void }) => call.cut(), "broke"],
  ] as const)("into an engine that %s fails with what it said", async (_how, script, message) => {
    const archive = await imageArchive();
    await scripted({ solve: (_call, daemon) => exports(daemon, archive) });
    fake.engine.on("POST", "/images/load", async (call) => {
      await call.body();
      script(call);
    });
    const { outcome } = await attempt({ outputs: [], load: true, tags: ["app:1"] });
    expect((outcome as Error).message).toContain(message);
  });

  it("into an engine that is silent is over when it is cancelled", async () => {
    const abort = new AbortController();
    const archive = await imageArchive();
    await scripted({
      solve: async (call, daemon) => {
        exported(daemon, archive).catch(() => {});
        return hang(call);
      },
    });
    fake.engine.on("POST", "/images/load", () => void setTimeout(() => abort.abort(), 10));
    const { outcome } = await attempt({ outputs: [], load: true, tags: ["app:1"], signal: abort.signal });
    expect(outcome).toMatchObject({ code: "ABORTED" });
  });

  it("of several platforms into a classic store names the ways out, before anything is solved", async () => {
    let isSolved = false;
    await scripted({
      solve: async () => {
        isSolved = true;
        return {};
      },
    });
    const platforms = ["linux/amd64", "linux/arm64"];
    const { outcome } = await attempt({ outputs: [], load: true, tags: ["app:1"], platforms });
    expect((outcome as Error).message).toMatch(/manifest lists: .*--platform.*--push.*type=oci/);
    expect(isSolved).toBe(false);
  });
});

describe("a build whose context is a stream", () => {
  it("that breaks fails with the stream's error, and one that is refused lets go of it", async () => {
    await scripted({
      frontend: async () => {
        const remote = await fake.daemon.session();
        const id = remote.methods.includes("/moby.upload.v1.Upload/Pull") ? "known" : "";
        expect(id).toBe("known");
        throw new GrpcError(grpcCodes.unknown, "no Dockerfile");
      },
    });
    const { outcome } = await attempt({
      context: { type: "tar", stream: Readable.from([Buffer.alloc(1024)]) },
    });
    expect((outcome as Error).message).toContain("no Dockerfile");
  });
});

describe("a builder of several nodes", () => {
  const platforms = ["linux/amd64", "linux/arm64"];

  it("builds each platform on its own node, and gives the first one's result", async () => {
    let solves = 0;
    await scripted({ solve: async () => ({ ExporterResponse: { solve: `${++solves}` } }) }, platforms);
    const { outcome } = await attempt({ platforms });
    expect(outcome).not.toBeInstanceOf(Error);
    expect(solves).toBe(2);
    expect(fake.nodes.map(({ daemon }) => daemon.sessions.length)).toEqual([1, 1]);
  });

  it("fails with the first error, and cancels the others", async () => {
    let cancelled = 0;
    let solves = 0;
    const both = gate();
    await scripted(
      {
        solve: async (call) => {
          const number = ++solves;
          if (solves === 2) both.resolve();
          await both.promise;
          if (number === 1) throw new GrpcError(grpcCodes.unknown, "one node's disk is full");
          return hang(call).finally(() => cancelled++);
        },
      },
      platforms,
    );
    const { outcome } = await attempt({ platforms });
    expect((outcome as Error).message).toContain("one node's disk is full");
    expect(cancelled).toBe(1);
  });

  it.each([
    [
      { outputs: [{ type: "oci" as const, dest: "/tmp/x.tar" }] },
      "oci for multi-node builds currently not supported",
    ],
    [
      { outputs: [{ type: "tar" as const, dest: "/tmp/x.tar" }] },
      "tar for multi-node builds currently not supported",
    ],
    [{ outputs: [], load: true, tags: ["a"] }, "build for platforms of one node, or push the image"],
    [
      { context: { type: "tar" as const, stream: Readable.from([Buffer.alloc(9)]) } },
      "can be sent to one node only",
    ],
  ])("refuses what cannot be put together: %#", async (options, message) => {
    await scripted({}, platforms);
    const { outcome } = await attempt({ platforms, ...options });
    expect((outcome as Error).message).toContain(message);
    expect(fake.daemon.sessions).toEqual([]);
  });
});

describe("a build whose builder is lost", () => {
  it("is given up by the signal while the engine is asked what became of the builder", async () => {
    const controller = new AbortController();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    await scripted({
      solve: async (call, daemon) => {
        // No answer to this one; that its deadline does not pass is what the timers are held for.
        fake.engine.on("GET", /^\/containers\/.*json$/, () => controller.abort(new Error("no more")));
        void daemon[Symbol.asyncDispose]();
        return hang(call);
      },
    });
    const { outcome } = await attempt({ signal: controller.signal });
    expect(outcome).toMatchObject({ code: expect.stringMatching(/LOST|ABORTED/) as string });
    expect(controller.signal.aborted).toBe(true);
  });
});

describe("a warm connection", () => {
  it("builds several times, survives its builder's restart, and says so", async () => {
    await scripted({});
    await using connection = await connect({ builder: "b", env: fake.env });
    const built = async () => {
      const told: string[] = [];
      const onEvent = (event: BuildEvent) => void (event.type === "message" && told.push(event.text));
      await connection.build({ context, outputs: [{ type: "cacheonly" }], onEvent, env: fake.env });
      return told;
    };
    expect(await built()).toEqual([]);
    expect(await built()).toEqual([]);
    await fake.restart();
    expect(await built()).toEqual([expect.stringContaining("was lost, connecting again")]);
    expect(await built()).toEqual([]);
  });

  it("that is closed while it builds fails the build, and further ones", async () => {
    const solving = gate();
    await scripted({
      solve: (call) => {
        solving.resolve();
        return hang(call);
      },
    });
    const connection = await connect({ builder: "b", env: fake.env });
    const building = connection.build({ context, outputs: [{ type: "cacheonly" }] });
    const failed = expect(building).rejects.toThrow();
    await solving.promise;
    await connection.close();
    await connection.close();
    await failed;
  });
});
