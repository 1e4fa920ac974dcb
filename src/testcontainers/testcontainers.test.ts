import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, duplexPair } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeBuildkitd } from "../../test/support/fake-buildkitd.js";
import { type FakeCall, FakeEngine, stdcopyFrame } from "../../test/support/fake-engine.js";
import { exported, imageArchive } from "../../test/support/image-archive.js";
import { control, gateway } from "../buildkit/index.js";
import { GrpcError, grpcCodes } from "../http2/index.js";
import { Builder, files, tar } from "../index.js";
import { service } from "../session/index.js";
import { BuildKitContainer, type StartedBuildKitContainer, buildImage, stopSharedBuildKit } from "./index.js";

// testcontainers keeps the first engine that it finds, so all tests have the same.
let engine: FakeEngine;
let dir: string;
let daemon: FakeBuildkitd;
/** What the daemon does to solve; by default nothing, which is a success. */
let solve: (request?: control.SolveRequest) => Promise<object>;
/** Of the container, as the engine tells it. */
let state: Record<string, unknown>;
let created: Record<string, unknown>[];
/** What the engine calls the container. */
let name: string;
/** Images of the engine, by name. */
let images: Map<string, { Id: string; RepoTags?: string[] }>;

const id = "c".repeat(64);
const context = files({ Dockerfile: "FROM scratch\n" });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-testcontainers-"));
  engine = await FakeEngine.start();
  vi.stubEnv("DOCKER_HOST", engine.host);
  vi.stubEnv("DOCKER_CONFIG", dir);
  vi.stubEnv("HOME", dir);
  vi.stubEnv("BUILDX_CONFIG", dir);
  vi.stubEnv("TESTCONTAINERS_RYUK_DISABLED", "true");
  vi.stubEnv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await engine.close();
  await rm(dir, { recursive: true, force: true });
});

beforeEach(() => {
  solve = async () => ({});
  state = { Status: "running", Running: true, ExitCode: 0, StartedAt: new Date().toISOString() };
  created = [];
  name = "buildkit";
  images = new Map([["moby/buildkit:buildx-stable-1", { Id: "sha256:buildkit" }]]);
  daemon = new FakeBuildkitd({
    services: [
      service(control.Control, {
        info: () => ({ buildkitVersion: { version: "v0.34.2" } }),
        listWorkers: () => ({ record: [{ ID: "w", platforms: [{ OS: "linux", Architecture: "amd64" }] }] }),
        solve: (request) => solve(request),
        async *status() {},
      }),
      service(gateway.LLBBridge, { solve: () => ({}), return: () => ({}) }),
    ],
  });
  const inspected = () => ({
    Id: id,
    Name: `/${name}`,
    State: state,
    Config: { Hostname: "c", Labels: {} },
    HostConfig: { PortBindings: {} },
    NetworkSettings: { Ports: { "1234/tcp": [{ HostIp: "127.0.0.1", HostPort: "4321" }] }, Networks: {} },
  });
  engine
    .on("GET", "/info", (call) =>
      call.json({
        OperatingSystem: "Debian",
        ServerVersion: "28",
        NCPU: 1,
        MemTotal: 1,
        SystemTime: new Date().toISOString(),
      }),
    )
    .on("POST", "/containers/create", async (call) => {
      name = call.query.get("name") ?? name;
      created.push((await call.jsonBody()) as Record<string, unknown>);
      call.json({ Id: id, Warnings: [] }, 201);
    })
    .on("GET", "/containers/json", (call) => call.json([]))
    .on("POST", `/containers/${id}/start`, (call) => call.empty())
    .on("POST", `/containers/${id}/stop`, (call) => call.empty())
    .on("DELETE", `/containers/${id}`, (call) => call.empty())
    .on("PUT", `/containers/${id}/archive`, async (call) => {
      await call.body();
      call.empty(200);
    })
    .on("GET", `/containers/${id}/json`, (call) => call.json(inspected()))
    .on("GET", `/containers/${id}/logs`, ({ response }) => void response.end())
    .on("POST", `/containers/${id}/exec`, (call) => call.json({ Id: "e" }, 201))
    .on("GET", "/exec/e/json", (call) => call.json({ ID: "e", Running: false, ExitCode: 1 }))
    .on("POST", "/exec/e/start", (call) => serveByExec(call))
    .on("GET", /^\/images\/(?<name>.*)\/json$/, (call) => {
      const found = images.get(decodeURIComponent(call.params["name"] ?? ""));
      if (found) call.json({ RootFS: { Layers: [] }, RepoTags: [], ...found });
      else call.refuse(404, "no such image");
    })
    .on("GET", "/images/json", (call) => call.json([]));
});
afterEach(() => daemon[Symbol.asyncDispose]());

/** The daemon behind a process in the container, as `buildctl dial-stdio` is. */
async function serveByExec(call: FakeCall): Promise<void> {
  const stream = await call.hijack();
  const [near, far] = duplexPair();
  daemon.serve(far);
  for (const one of [stream, near]) one.on("error", () => {});
  stream.on("data", (chunk: Buffer) => void near.write(chunk));
  stream.on("close", () => near.destroy());
  near.on("data", (chunk: Buffer) => void stream.write(stdcopyFrame(1, chunk)));
  near.on("end", () => stream.end());
}

const start = (container = new BuildKitContainer()): Promise<StartedBuildKitContainer> => container.start();

describe("a BuildKit container", () => {
  test("is made of its settings, and is there when the daemon answers", async () => {
    await using started = await start(
      new BuildKitContainer()
        .withConfig({ worker: { oci: { "max-parallelism": 2 } } })
        .withRegistry("r:5000", { insecure: true })
        .withRegistryMirror("m:5000", { http: true })
        .withRegistryMirror("n:5000")
        .withFlags("--debug")
        .withMemoryLimit("512m")
        .withCpuLimit(1.5)
        .withTcp(),
    );
    expect(created[0]).toMatchObject({
      Image: "moby/buildkit:buildx-stable-1",
      Cmd: [
        "--config",
        "/etc/buildkit/buildkitd.toml",
        "--addr",
        "unix:///run/buildkit/buildkitd.sock",
        "--addr",
        "tcp://0.0.0.0:1234",
        "--debug",
      ],
      HostConfig: {
        Privileged: true,
        Init: true,
        Memory: 512 << 20,
        NanoCpus: 1.5e9,
        PortBindings: { "1234/tcp": [{ HostIp: "127.0.0.1", HostPort: "0" }] },
      },
    });
    expect(started.address).toBe("tcp://127.0.0.1:4321");
    expect(await started.target()).toMatchObject({
      address: started.address,
      env: { DOCKER_HOST: engine.host },
    });
    expect(await started.target("exec")).toHaveProperty("dial");
  });

  test("in whose socket directory the daemon listens is reached there", async () => {
    await using started = await start(new BuildKitContainer().withSocketDirectory(dir));
    expect(started.address).toBe(`unix://${join(dir, "buildkitd.sock")}`);
    expect((created[0] as { Cmd: string[] }).Cmd[0]).toBe("--group");
  });

  test.each([
    [() => new BuildKitContainer().withConfig("worker = [")],
    [
      () =>
        new BuildKitContainer()
          .withConfig({ worker: { oci: { gc: "maybe" } } })
          .withRegistry("r", { http: true }),
    ],
  ])("with a configuration that is none is not started (%#)", async (make) => {
    await expect(make().start()).rejects.toThrow(/buildkitd\.toml/);
    expect(created).toEqual([]);
  });

  test("refuses settings that are none", () => {
    const container = new BuildKitContainer();
    for (const cpus of [0, -1, NaN]) expect(() => container.withCpuLimit(cpus)).toThrow("processors");
    expect(() => container.withMemoryLimit("much")).toThrow();
    expect(() => container.withRegistry("r", { mirror: "x" } as never)).toThrow("mirror");
  });

  test("whose daemon ends is told at once, with its last words", async () => {
    state = { Status: "exited", Running: false, ExitCode: 1 };
    engine
      .on("POST", `/containers/${id}/exec`, (call) => call.refuse(409, "container is not running"))
      .on(
        "GET",
        `/containers/${id}/logs`,
        ({ response }) => void response.end(stdcopyFrame(2, "buildkitd: bad flag\nstack\n")),
      );
    await expect(start()).rejects.toMatchObject({
      code: "BUILDKIT_CONTAINER",
      message: "buildkitd ended with exit code 1 when it was started: buildkitd: bad flag",
    });
    engine.on("GET", `/containers/${id}/logs`, (call) => call.refuse(404, "gone"));
    await expect(start()).rejects.toMatchObject({
      message: "buildkitd ended with exit code 1 when it was started",
    });
    engine.on(
      "GET",
      `/containers/${id}/logs`,
      ({ response }) => void response.end(stdcopyFrame(2, "a\nb\n")),
    );
    await expect(start()).rejects.toThrow("started: a\nb");
  });

  test("that does not answer in time is given up", async () => {
    engine.on("POST", "/exec/e/start", () => {});
    await expect(start(new BuildKitContainer().withStartupTimeout(50))).rejects.toMatchObject({
      code: "DEADLINE",
    });
  });

  test("that is shared is made once, and goes on when it is stopped", async () => {
    vi.stubEnv("TESTCONTAINERS_REUSE_ENABLE", "true");
    const removals = () => engine.callsOf("DELETE", `/containers/${id}`).length;
    const before = removals();
    const started = await start(new BuildKitContainer().withReuse());
    const stopped = await started.stop();
    expect(stopped.getId()).toBe(id);
    expect(removals()).toBe(before);
    await started.stop({ remove: true });
    expect(removals()).toBe(before + 1);
    vi.stubEnv("TESTCONTAINERS_REUSE_ENABLE", undefined);
  });

  test("has connections for many builds, each by a process of its own, whose engine goes with them", async () => {
    await using started = await start();
    const connection = await started.connect();
    await connection.build({ context, outputs: [{ type: "cacheonly" }] });
    await connection.close();
    engine.on("POST", `/containers/${id}/exec`, (call) => call.refuse(500, "the engine is on fire"));
    await expect(started.dial()).rejects.toThrow("on fire");
    await expect(started.connect({ onevent: 1 } as never)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

describe("building an image", () => {
  let loaded: number;
  beforeEach(() => {
    loaded = 0;
    engine.on("POST", "/images/load", async (call) => {
      await call.body();
      loaded++;
      call.lines([{ stream: "Loaded image\n" }]);
    });
  });

  const solvesWith =
    (archive: Buffer, session = 0) =>
    async () => {
      const { code, message } = await exported(daemon, archive, session);
      if (code !== 0) throw new GrpcError(code < 0 ? grpcCodes.cancelled : code, message);
      return {};
    };

  test("gives the name it has in the engine, the same for the same", async () => {
    await using builder = await start();
    solve = solvesWith(await imageArchive());
    expect(await buildImage({ context, builder, tags: ["app:1"] })).toBe("app:1");
    expect(loaded).toBe(1);
  });

  test("has a name of its own for what is another image, and the same for the same", async () => {
    await using builder = await start();
    const named = (options: object) => buildImage({ context, builder, ...options });
    const inMemory = (content: string | Uint8Array | ArrayBuffer | Blob) => ({
      context: files({ Dockerfile: "FROM scratch\n", a: content }),
    });
    const buffer = (text: string) => new Uint8Array(Buffer.from(text)).buffer;
    const alternatives = [
      [{}, { buildArgs: { A: "1" } }, { target: "x" }, { network: "none" }],
      [{ buildContexts: { base: "docker-image://a" } }, { buildContexts: { base: "docker-image://b" } }],
      ["1", "2"].map((text) => inMemory(text)),
      ["1", "2"].map((text) => inMemory(Buffer.from(text))),
      ["1", "2"].map((text) => inMemory(buffer(text))),
      ["1", "2"].map((text) => inMemory(new Blob([text]))),
      ["1", "2"].map((text) => ({ dockerfile: buffer(`FROM scratch # ${text}`) })),
    ];
    for (const different of alternatives) {
      const names: string[] = [];
      for (const options of different) names.push(await named(options));
      expect(new Set(names).size).toBe(names.length);
      for (const each of names) expect(each).toMatch(/^slipway-test\/[a-z0-9-]+:[0-9a-f]{12}$/);
      for (const [at, options] of different.entries()) expect(await named(options)).toBe(names[at]);
    }
    const first = await named({});
    // Neither secrets nor who listens make another image.
    expect(await named({ secrets: { a: "b" }, onEvent: () => {}, pull: true })).toBe(first);
    await writeFile(join(dir, "Dockerfile"), "FROM scratch\n");
    const place = await named({ context: dir });
    expect(place).toMatch(/^slipway-test\/slipway-testcontainers-/);
    expect(await named({ context: { type: "directory", path: `${dir}/.` } })).toBe(place);
    const archive = () => tar(Readable.from([Buffer.alloc(1024)]));
    expect(await named({ context: archive() })).not.toBe(await named({ context: archive() }));
  });

  test("loads it by the name that it gives, also with an empty list of tags", async () => {
    await using builder = await start();
    const exporters: unknown[] = [];
    solve = async (request) => (exporters.push(...(request?.Exporters ?? [])), {});
    const name = await buildImage({ context, builder, tags: [] });
    expect(name).toMatch(/^slipway-test\//);
    expect(exporters).toMatchObject([{ Attrs: { name } }]);
  });

  test("that fails says in its message why, and where", async () => {
    await using builder = await start();
    solve = async () => {
      throw new GrpcError(grpcCodes.unknown, "process /bin/false did not complete: exit code: 1");
    };
    const failed = await buildImage({ context, builder }).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("exit code: 1") as string,
    });
    expect((failed as Error).cause).toBeUndefined();
  });

  test("that is cancelled while it builds is over, and leaves nothing open", async () => {
    await using builder = await start();
    const abort = new AbortController();
    solve = () => {
      abort.abort(new Error("enough"));
      return new Promise(() => {});
    };
    await expect(buildImage({ context, builder, signal: abort.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });

  test("takes a daemon that is configured as the command's builders are, listed as one, and ended when told", async () => {
    const config = join(dir, "buildkitd.default.toml");
    await writeFile(config, "debug = true\n");
    vi.stubEnv("TESTCONTAINERS_REUSE_ENABLE", "true");
    const removed: string[] = [];
    engine.on("DELETE", /^\/containers\/(?<name>.*)$/, (call) => {
      removed.push(call.params["name"] ?? "");
      call.empty();
    });
    solve = solvesWith(await imageArchive());
    await buildImage({ context, tags: ["app:1"] });
    expect(name).toMatch(/^slipway-testcontainers-[0-9a-f]{12}$/);
    expect(created[0]).toMatchObject({ Cmd: ["--config", "/etc/buildkit/buildkitd.toml"] });
    const listed = async () =>
      (await Builder.list())
        .filter((one) => one.name === "slipway-testcontainers")
        .map((one) => one.nodes[0]?.node.endpoint);
    expect(await listed()).toEqual([`docker-container://${name}`]);
    await stopSharedBuildKit();
    expect(removed).toEqual([name]);
    expect(await listed()).toEqual([]);
    // There is none any more, which is as it should be.
    engine.on("DELETE", /^\/containers\/(?<name>.*)$/, (call) => call.refuse(404, "no such container"));
    await stopSharedBuildKit();

    // One of the user's own of that name stays.
    await Builder.create({
      name: "slipway-testcontainers",
      driver: "remote",
      endpoint: "tcp://elsewhere:1234",
    });
    solve = solvesWith(await imageArchive(), 1);
    await buildImage({ context, tags: ["app:1"] });
    expect(await listed()).toEqual(["tcp://elsewhere:1234"]);
    await stopSharedBuildKit();
    expect(await listed()).toEqual(["tcp://elsewhere:1234"]);
    await writeFile(config, "debug = [");
    await expect(buildImage({ context })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await rm(config);
    vi.stubEnv("TESTCONTAINERS_REUSE_ENABLE", undefined);
  });

  test("into an engine that is gone fails with what it said", async () => {
    await using builder = await start();
    engine.on("GET", /^\/images\/(?<name>.*)\/json$/, (call) => call.cut());
    await expect(buildImage({ context, builder })).rejects.toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
  });

  test.each([{ builder: 5 }, { builder: {} }, { env: {} }, { load: true }])(
    "refuses what it does not take: %j",
    async (options) => {
      await expect(buildImage({ context, ...options } as never)).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    },
  );
});
