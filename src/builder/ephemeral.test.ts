import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { type BuilderContext, openBuilderContext } from "./builder-context.js";
import { thisProcess } from "../fs/index.js";
import { createBuilder } from "./create-builder.js";
import { createEphemeral, removeEphemeral } from "./ephemeral.js";
import { ephemeralLabel, slipwayOptionsFile } from "./slipway-options.js";

let dir: string;
let engine: FakeEngine;
let context: BuilderContext;
let warnings: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-ephemeral-"));
  engine = await FakeEngine.start();
  const env = {
    BUILDX_CONFIG: join(dir, "buildx"),
    DOCKER_CONFIG: join(dir, "docker"),
    DOCKER_HOST: engine.host,
  };
  warnings = [];
  context = await openBuilderContext({ env, onWarning: (text) => void warnings.push(text) });
  engine
    .on("GET", "/containers/json", (call) => call.json([]))
    .on("GET", "/volumes", (call) => call.json({ Volumes: [] }));
});
afterEach(async () => {
  await engine.close();
  await rm(dir, { recursive: true });
});

test("a builder that goes with the process is stored with its owner, and is not started with the engine", async () => {
  const group = await createEphemeral(context, {});
  expect(group.name).toMatch(/^slipway-ephemeral-[0-9a-f]{16}$/);
  expect(group.nodes[0]?.driverOpts).toMatchObject({ "restart-policy": "no" });
  const { ephemeral } = await context.store.slipwayOptions(group.name);
  expect(JSON.parse(ephemeral ?? "")).toMatchObject({ pid: process.pid });
  // One that lives is left alone by the next.
  await createEphemeral(context, {});
  expect(await context.store.get(group.name)).toBeDefined();
});

test("an engine that cannot be asked leaves the store as it was", async () => {
  engine.on("GET", "/containers/json", (call) => call.refuse(500, "no"));
  await expect(createEphemeral(context, {})).rejects.toMatchObject({ code: "ENGINE_STATUS" });
  expect(await context.store.dir.files("instances")).toEqual([]);
});

test("a cancel while the engine is asked leaves the store as it was", async () => {
  const controller = new AbortController();
  engine.on("GET", "/containers/json", () => controller.abort(new Error("not wanted any more")));
  await expect(createEphemeral(context, { signal: controller.signal })).rejects.toMatchObject({
    code: "ABORTED",
  });
  expect(await context.store.dir.files("instances")).toEqual([]);
});

test("one that is gone already is removed without a word", async () => {
  await removeEphemeral(context, "slipway-ephemeral-none");
});

describe("what processes that have ended left", () => {
  const name = (text: string) => `slipway-ephemeral-${text}`;
  const container = (node: string, ephemeral: string) => ({
    Id: node,
    Names: [`/buildx_buildkit_${node}0`],
    Labels: { [ephemeralLabel]: ephemeral },
    State: "exited",
    Created: 1,
  });
  let over: string;
  beforeEach(async () => {
    // No process has this number: Linux has fewer.
    over = JSON.stringify({ ...(await thisProcess()), pid: 2 ** 30 });
    engine
      .on("GET", "/containers/:id/json", (call) =>
        call.json({ Id: call.params["id"], Mounts: [], State: {} }),
      )
      .on("DELETE", "/containers/:id", (call) => call.empty())
      .on("DELETE", "/volumes/:id", (call) => call.empty());
  });
  const left = (text: string, ephemeral = over, options: object = {}) =>
    createBuilder(context, { name: name(text), ...options }, { ephemeral });

  test("goes from the engine and from the store, whatever else is there", async () => {
    await left("dead");
    for (const [index, owner] of [
      "",
      "7",
      "{}",
      '{"pid":-1}',
      '{"pid":1.5,"host":"h"}',
      "null",
      "[[",
    ].entries())
      await left(`odd${index}`, owner);
    // Where nobody asks now.
    await left("far", over, { endpoint: "unix:///nowhere/engine.sock" });
    engine.on("GET", "/containers/json", (call) => call.json([container(name("dead"), over)]));
    const { name: made } = await createEphemeral(context, {});
    const kept = (await context.store.list()).map((one) => one.name);
    expect(kept).not.toContain(name("dead"));
    expect(kept).toEqual(expect.arrayContaining([made, name("odd0"), name("odd6"), name("far")]));
    expect(engine.callsOf("DELETE", `/containers/${name("dead")}`)).toHaveLength(1);
  });

  test("stays in the store, and is told, where the engine cannot remove it", async () => {
    await left("dead");
    engine
      .on("GET", "/containers/json", (call) => call.json([container(name("dead"), over)]))
      .on("DELETE", "/containers/:id", (call) => call.refuse(500, "busy"));
    await createEphemeral(context, {});
    expect(warnings).toEqual([expect.stringMatching(/cannot remove container .*dead0: .*busy/)]);
    expect(await context.store.get(name("dead"))).toBeDefined();
  });

  test("is told when the store cannot say whose it is", async () => {
    await left("dead");
    await writeFile(join(dir, "buildx", slipwayOptionsFile(name("dead"))), "{");
    await left("broken");
    await writeFile(join(dir, "buildx", "instances", name("broken")), "{");
    await createEphemeral(context, {});
    expect(warnings).toHaveLength(2);
  });
});
