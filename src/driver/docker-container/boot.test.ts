import { expect, test } from "vitest";
import { withVertex } from "../../core/index.js";
import { EngineClient } from "../../engine-api/index.js";
import { FakeEngine } from "../../../test/support/fake-engine.js";
import { bootContainer } from "./boot.js";
import { configDigest, configDigestLabel } from "./container-spec.js";
import { DockerContainerDriver } from "./docker-container-driver.js";
import type { ContainerContext } from "./container-context.js";
import { parseDriverOptions } from "./options.js";

const name = "buildx_buildkit_b0";

function node(engine: EngineClient): ContainerContext {
  return {
    engine,
    nodeName: "b0",
    options: parseDriverOptions({}),
    flags: [],
    files: new Map(),
    connect: "exec",
    env: {},
    socketParent: "/proc/nowhere",
    bootMilliseconds: 20_000,
  };
}

const inspection = (state: Record<string, unknown>, created = new Date()) => ({
  Id: "c".repeat(64),
  Created: created.toISOString(),
  Config: { Labels: { [configDigestLabel]: configDigest(new Map()) } },
  Mounts: [],
  State: { Running: false, ...state },
});

async function boot(engine: FakeEngine) {
  engine.on("POST", "/images/create", (call) => call.lines([]));
  engine.on("GET", "/info", (call) => call.json({ SystemTime: new Date().toISOString() }));
  await using client = EngineClient.open({ host: engine.host });
  return await withVertex(undefined, "boot", (vertex) => bootContainer(node(client), vertex, {}));
}

test("STO-7 a name that is taken by a container not to be seen yet is waited for", async () => {
  await using engine = await FakeEngine.start();
  // The engine gives a name away first and makes the container then, which takes a while on a slow disk.
  engine.on("POST", "/containers/create", (call) => call.refuse(409, "Conflict. The name is in use"));
  engine.on("GET", `/containers/${name}/json`, (call) =>
    call.count <= 8
      ? call.refuse(404, "No such container")
      : call.json(inspection({ Status: "running", Running: true })),
  );
  await expect(boot(engine)).resolves.toEqual({ extras: false });
  expect(engine.callsOf("POST", "/images/create")).toHaveLength(1);
});

test.each([
  ["moby/buildkit:buildx-stable-1", "1", false],
  [`moby/buildkit:v1@sha256:${"a".repeat(64)}`, "true", false],
  [`moby/buildkit@sha256:${"a".repeat(64)}`, "1", true],
  ["registry.example.com/moby/buildkit:1", "1", true],
  ["moby/buildkit:buildx-stable-1", "0", true],
  ["moby/buildkit:buildx-stable-1", "maybe", true],
])("the image %s with BUILDX_DEFAULT_POLICY=%s is taken: %s", async (image, policy, taken) => {
  await using engine = await FakeEngine.start();
  engine.on("GET", `/containers/${name}/json`, (call) =>
    engine.callsOf("POST", "/images/create").length === 0
      ? call.refuse(404, "No such container")
      : call.json(inspection({ Status: "running", Running: true })),
  );
  engine.on("POST", "/images/create", (call) => call.lines([]));
  engine.on("GET", "/info", (call) => call.json({ SystemTime: new Date().toISOString() }));
  engine.on("POST", "/containers/create", (call) => call.refuse(409, "Conflict. The name is in use"));
  await using client = EngineClient.open({ host: engine.host });
  const described = {
    ...node(client),
    options: parseDriverOptions({ image }),
    env: { BUILDX_DEFAULT_POLICY: policy },
  };
  const booted = withVertex(undefined, "boot", (vertex) => bootContainer(described, vertex, {}));
  if (taken) return expect(await booted).toEqual({ extras: false });
  await expect(booted).rejects.toMatchObject({ code: "DRIVER_UNSUPPORTED" });
  await expect(booted).rejects.toThrow("BUILDX_DEFAULT_POLICY");
  expect(engine.callsOf("POST", "/images/create")).toHaveLength(0);
});

test("STO-6 a container whose maker died is given its config, then started", async () => {
  await using engine = await FakeEngine.start();
  const done: string[] = [];
  engine.on("GET", `/containers/${name}/json`, (call) =>
    call.json(inspection({ Status: "created" }, new Date(Date.now() - 60_000))),
  );
  engine.on("PUT", `/containers/${name}/archive`, async (call) => {
    done.push(`config to ${call.query.get("path")}, ${call.headers["content-encoding"] ?? "plain"}`);
    await call.body();
    call.empty(200);
  });
  engine.on("POST", `/containers/${name}/start`, (call) => {
    done.push("start");
    call.empty();
  });
  await expect(boot(engine)).resolves.toEqual({ extras: false });
  expect(done).toEqual(["config to /etc, plain", "start"]);
});

test("STO-6 a stopped container with another config is made again on the same volume", async () => {
  await using engine = await FakeEngine.start();
  const done: string[] = [];
  engine.on("GET", `/containers/${name}/json`, (call) => {
    if (done.length > 0) return call.refuse(404, "No such container");
    const old = inspection({ Status: "exited" });
    old.Config.Labels[configDigestLabel] = "sha256:other";
    call.json(old);
  });
  engine.on("DELETE", `/containers/${"c".repeat(64)}`, (call) => {
    done.push(`remove, volumes ${call.query.get("v") ?? "kept"}`);
    call.empty();
  });
  engine.on("POST", "/containers/create", async (call) => {
    const body = (await call.jsonBody()) as { HostConfig: { Mounts: { Source: string }[] } };
    done.push(`create on ${body.HostConfig.Mounts[0]?.Source}`);
    call.json({ Id: "d".repeat(64), Warnings: [] }, 201);
  });
  engine.on("PUT", `/containers/${name}/archive`, async (call) => {
    await call.body();
    done.push("config");
    call.empty(200);
  });
  engine.on("POST", `/containers/${name}/start`, (call) => {
    done.push("start");
    call.empty();
  });
  await expect(boot(engine)).resolves.toMatchObject({ extras: false });
  expect(done).toEqual(["remove, volumes kept", `create on ${name}_state`, "config", "start"]);
});

test("FLT-15 a pull that fails is no trouble where the image is there, and one where it is not", async () => {
  for (const held of [true, false]) {
    await using engine = await FakeEngine.start();
    let made = false;
    engine.on("GET", `/containers/${name}/json`, (call) => call.refuse(404, "No such container"));
    engine.on("POST", "/containers/create", (call) => {
      made = true;
      call.json({ Id: "d".repeat(64), Warnings: [] }, 201);
    });
    engine.on("PUT", `/containers/${name}/archive`, async (call) => {
      await call.body();
      call.empty(200);
    });
    engine.on("POST", `/containers/${name}/start`, (call) => call.empty());
    engine.on("GET", /^\/images\/.*\/json$/, (call) =>
      held ? call.json({ Id: "sha256:e" }) : call.refuse(404, "no such image"),
    );
    const booting = boot(engine);
    engine.on("POST", "/images/create", (call) => call.lines([{ error: "no route to the registry" }]));
    if (held) await expect(booting).resolves.toMatchObject({ extras: false });
    else await expect(booting).rejects.toThrow("no route to the registry");
    expect(made).toBe(held);
  }
});

test("a driver that is closed while it asks what became of its builder blames nobody", async () => {
  await using engine = await FakeEngine.start();
  const asked = new Promise<void>((resolve) => {
    engine.on("GET", `/containers/${name}/json`, () => resolve());
  });
  const driver = new DockerContainerDriver(node(EngineClient.open({ host: engine.host })));
  const diagnosis = driver.diagnose({ since: Date.now() });
  await asked;
  await driver.close();
  expect(await diagnosis).toBeUndefined();
});

test("a network that is not there is told with what to do about it", async () => {
  await using engine = await FakeEngine.start();
  engine.on("POST", "/images/create", (call) => call.lines([]));
  engine.on("GET", "/info", (call) => call.json({ SystemTime: new Date().toISOString() }));
  engine.on("GET", `/containers/${name}/json`, (call) => call.refuse(404, "No such container"));
  engine.on("POST", "/containers/create", (call) => call.json({ Id: "d".repeat(64), Warnings: [] }, 201));
  engine.on("PUT", `/containers/${name}/archive`, async (call) => {
    await call.body();
    call.empty(200);
  });
  engine.on("DELETE", `/containers/${name}`, (call) => call.empty());
  engine.on("POST", `/containers/${name}/start`, (call) => call.refuse(404, "network backstage not found"));
  engine.on("GET", "/networks/backstage", (call) => call.refuse(404, "network backstage not found"));
  await using client = EngineClient.open({ host: engine.host });
  const described = { ...node(client), options: parseDriverOptions({ network: "backstage" }) };
  const booted = () => withVertex(undefined, "boot", (vertex) => bootContainer(described, vertex, {}));
  await expect(booted()).rejects.toThrow(/no network backstage .*docker network create backstage/);
  engine.on("GET", "/networks/backstage", (call) => call.json({ Id: "n" }));
  await expect(booted()).rejects.toThrow("Error response from daemon: network backstage not found");
});
