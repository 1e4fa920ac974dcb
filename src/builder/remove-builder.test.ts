import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { type BuilderContext, openBuilderContext } from "./builder-context.js";
import { createBuilder } from "./create-builder.js";
import { removeBuilder, removeBuilders, removeDaemons } from "./remove-builder.js";

let dir: string;
let engine: FakeEngine;
let context: BuilderContext;
/** Names of containers on the engine. */
let containers: Set<string>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-remove-"));
  engine = await FakeEngine.start();
  containers = new Set();
  const env = {
    BUILDX_CONFIG: join(dir, "buildx"),
    DOCKER_CONFIG: join(dir, "docker"),
    DOCKER_HOST: engine.host,
  };
  context = await openBuilderContext({ env });
  const shown = (name: string) => ({
    Id: name,
    Names: [`/${name}`],
    Config: { Labels: {} },
    Labels: {},
    State: { Running: true },
    Mounts: [{ Type: "volume", Destination: "/var/lib/buildkit", Name: `${name}_state` }],
  });
  engine
    .on("GET", "/containers/json", (call) =>
      call.json([...containers].map((name) => ({ ...shown(name), State: "running" }))),
    )
    .on("GET", "/volumes", (call) => call.json({ Volumes: [] }))
    .on("GET", "/containers/:id/json", (call) => {
      const name = call.params["id"] ?? "";
      if (containers.has(name)) call.json(shown(name));
      else call.refuse(404, "no such container");
    })
    .on("DELETE", "/containers/:id", (call) => {
      containers.delete(call.params["id"] ?? "");
      call.empty();
    })
    .on("DELETE", "/volumes/:id", (call) => call.empty());
});
afterEach(async () => {
  await engine.close();
  await rm(dir, { recursive: true, force: true });
});

async function made(...names: string[]): Promise<void> {
  for (const name of names) {
    await createBuilder(context, { name });
    containers.add(`buildx_buildkit_${name}0`);
  }
}
const names = async () => (await context.store.list()).map(({ name }) => name).sort();
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => "none",
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  );

test("one builder goes with its containers, or without them, or only they go", async () => {
  await made("a", "b", "c");
  await removeBuilder(context, "a");
  await removeBuilder(context, "b", { keepDaemon: true });
  await removeDaemons(context, "c", { keepState: true });
  expect([...containers]).toEqual(["buildx_buildkit_b0"]);
  expect(await names()).toEqual(["c"]);
});

test("what is no builder is refused by what it is", async () => {
  for (const remove of [
    () => removeBuilder(context, "none"),
    () => removeDaemons(context, "none", { keepState: false }),
  ])
    expect(await outcome(remove())).toBe('STORE_NO_BUILDER: no builder "none" found');
  expect(await outcome(removeBuilder(context, "../x"))).toMatch(/^INVALID_ARGUMENT: invalid name \.\.\/x/);
  expect(await outcome(removeBuilder(context, "default"))).toMatch(
    /^STORE_REFUSED: .*docker context rm default/,
  );
});

test("an engine that refuses or is gone does not keep a builder, and is told", async () => {
  await made("a", "b");
  engine.on("DELETE", "/containers/:id", (call) => call.refuse(500, "the disk is on fire"));
  expect(await outcome(removeBuilder(context, "a"))).toMatch(
    /^BUILDER_REMOVE: failed to remove node a0: .*the disk is on fire/,
  );
  expect(await outcome(removeDaemons(context, "b", { keepState: false }))).toMatch(/^BUILDER_REMOVE: .*b0/);
  expect(await names()).toEqual(["b"]);
});

test("many builders ask their engine once, and each ends as it does", async () => {
  await made("a", "b", "c", "d");
  containers.delete("buildx_buildkit_c0");
  await createBuilder(context, { name: "far", driver: "remote", endpoint: "tcp://127.0.0.1:1" });
  await writeFile(join(dir, "buildx", "instances", "broken"), "{");
  engine.on("DELETE", "/containers/buildx_buildkit_b0", (call) => call.refuse(500, "busy"));
  const asked = ["a", "b", "c", "far", "broken", "none", "a"];
  const results = await removeBuilders(context, asked);
  expect([...results.keys()]).toEqual(["a", "b", "c", "far", "broken", "none"]);
  const told = [...results].map(([name, error]) => [name, (error as { code?: string } | undefined)?.code]);
  expect(Object.fromEntries(told)).toEqual({ b: "BUILDER_REMOVE", none: "STORE_NO_BUILDER" });
  expect(await names()).toEqual(["d"]);
  expect(engine.callsOf("GET", "/containers/json")).toHaveLength(1);
  expect([...containers].sort()).toEqual(["buildx_buildkit_b0", "buildx_buildkit_d0"]);
  // Their daemons stay where that is asked for.
  expect((await removeBuilders(context, ["d"], { keepDaemon: true })).get("d")).toBeUndefined();
  expect(containers.has("buildx_buildkit_d0")).toBe(true);
});

test("an engine that cannot be asked is told for each of its builders, which go nevertheless", async () => {
  await made("a", "b");
  engine.on("GET", "/containers/json", (call) => call.refuse(503, "not now"));
  const results = await removeBuilders(context, ["a", "b"]);
  for (const error of results.values()) expect(error?.message).toMatch(/failed to remove node .0: .*not now/);
  expect(await names()).toEqual([]);
});

test.each(["GET", "DELETE"])(
  "a cancel at the %s ends it, and leaves what is left in the store",
  async (method) => {
    await made("a");
    const stop = new AbortController();
    const path = method === "GET" ? "/containers/json" : "/containers/:id";
    engine.on(method, path, () => stop.abort(new Error("enough")));
    expect(await outcome(removeBuilders(context, ["a"], { signal: stop.signal }))).toMatch(/^ABORTED/);
    expect(await names()).toEqual(["a"]);
    const { signal } = stop;
    expect(await outcome(removeBuilder(context, "a", { signal }))).toMatch(/^ABORTED/);
    expect(await names()).toEqual(["a"]);
  },
);

test("a builder that is a directory in the store is told as what cannot be removed", async () => {
  await made("a");
  await rm(join(dir, "buildx", "instances", "a"));
  await mkdir(join(dir, "buildx", "instances", "a", "x"), { recursive: true });
  const results = await removeBuilders(context, ["a"]);
  expect(results.get("a")).toBeInstanceOf(Error);
});
