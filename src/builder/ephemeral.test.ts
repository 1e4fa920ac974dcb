import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { type BuilderContext, openBuilderContext } from "./builder-context.js";
import { createEphemeral, removeEphemeral } from "./ephemeral.js";

let dir: string;
let engine: FakeEngine;
let context: BuilderContext;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-ephemeral-"));
  engine = await FakeEngine.start();
  const env = {
    BUILDX_CONFIG: join(dir, "buildx"),
    DOCKER_CONFIG: join(dir, "docker"),
    DOCKER_HOST: engine.host,
  };
  context = await openBuilderContext({ env });
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
