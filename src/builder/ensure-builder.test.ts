import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeEngine } from "../../test/support/fake-engine.js";
import { type BuilderContext, openBuilderContext } from "./builder-context.js";
import { createBuilder } from "./create-builder.js";
import { ensureBuilder } from "./ensure-builder.js";

let dir: string;
let engine: FakeEngine;
let context: BuilderContext;
/** Containers that were removed. */
let removed: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-ensure-"));
  removed = [];
  engine = await FakeEngine.start();
  engine.on("GET", "/containers/:name/json", (call) =>
    call.json({
      Id: "c1",
      Config: { Labels: {} },
      Mounts: [
        {
          Type: "volume",
          Destination: "/var/lib/buildkit",
          Name: `${call.params["name"]}_state`,
        },
      ],
      State: { Running: true },
    }),
  );
  engine.on("DELETE", "/containers/c1", (call) => {
    removed.push(`v=${call.query.get("v")}`);
    call.empty();
  });
  const env = {
    BUILDX_CONFIG: join(dir, "buildx"),
    DOCKER_CONFIG: join(dir, "docker"),
    DOCKER_HOST: engine.host,
  };
  context = await openBuilderContext({ env });
});

afterEach(async () => {
  await engine.close();
  await rm(dir, { recursive: true, force: true });
});

/** The same engine by another name, for another node. */
const twin = () => engine.host.replace("unix://", "unix:///.");

describe('ensure with onMismatch "recreate"', () => {
  const broken = async () => {
    const path = join(dir, "broken.toml");
    await writeFile(path, "debug = [");
    return path;
  };
  it.each([
    ["a driver option", async () => ({ driverOpts: { wrong: "1" } })],
    ["a size", async () => ({ maxCacheSize: "much" })],
    ["flags", async () => ({ buildkitdFlags: "'--debug" })],
    ["a platform", async () => ({ platforms: ["linux/amd64/v1/more"] })],
    ["an endpoint", async () => ({ endpoint: "ftp://elsewhere" })],
    ["a config file", async () => ({ buildkitdConfig: await broken() })],
    ["a config file that is not there", async () => ({ buildkitdConfig: join(dir, "absent") })],
  ])("refuses %s that cannot be, and leaves builder and container as they are", async (_, change) => {
    await ensureBuilder(context, { name: "ci", driverOpts: { memory: "1g" }, connect: "exec" });
    const before = await context.store.get("ci");
    await expect(
      ensureBuilder(context, { name: "ci", onMismatch: "recreate", ...(await change()) }),
    ).rejects.toThrow();
    expect(removed).toEqual([]);
    expect(await context.store.get("ci")).toEqual(before);
    expect(await context.store.slipwayOptions("ci")).toEqual({ connect: "exec" });
  });

  it("keeps a builder whose container the engine does not let go", async () => {
    await ensureBuilder(context, { name: "ci" });
    engine.on("DELETE", "/containers/c1", (call) => call.refuse(500, "the disk is on fire"));
    const recreated = ensureBuilder(context, {
      name: "ci",
      driverOpts: { memory: "1g" },
      onMismatch: "recreate",
    });
    await expect(recreated).rejects.toMatchObject({ code: "BUILDER_REMOVE" });
    expect((await context.store.get("ci"))?.nodes[0]?.driverOpts).toEqual({});
  });

  it("keeps what is not described: flags, config, platforms, endpoint and connect", async () => {
    const config = join(dir, "buildkitd.toml");
    await writeFile(config, "debug = true\n");
    await createBuilder(context, {
      name: "ci",
      buildkitdFlags: "--debug",
      buildkitdConfig: config,
      platforms: ["linux/arm64"],
      connect: "exec",
      endpoint: engine.host,
    });
    await createBuilder(context, { name: "ci", append: true, endpoint: twin() });
    const before = await context.store.get("ci");
    const group = await ensureBuilder(context, {
      name: "ci",
      driverOpts: { memory: "1g" },
      onMismatch: "recreate",
    });
    expect(removed).toEqual(["v=1", "v=1"]);
    expect(engine.calls.filter(({ path }) => path.startsWith("/volumes"))).toEqual([]);
    const nodes = before?.nodes.map((node) => ({
      ...node,
      driverOpts: { memory: "1g" },
      stored: undefined,
    }));
    const stored = await context.store.get("ci");
    for (const { nodes: found } of [group, stored ?? group])
      expect(found.map((node) => ({ ...node, stored: undefined }))).toEqual(nodes);
    expect(await context.store.slipwayOptions("ci")).toEqual({ connect: "exec" });
    expect(await ensureBuilder(context, { name: "ci", driverOpts: { memory: "1g" } })).toEqual(stored);
  });

  it("makes a builder of one node of what only one node can have", async () => {
    await createBuilder(context, { name: "ci", endpoint: engine.host });
    await createBuilder(context, { name: "ci", append: true, endpoint: twin() });
    const described = { name: "ci", platforms: ["linux/arm64"], onMismatch: "recreate" } as const;
    expect((await ensureBuilder(context, described)).nodes).toHaveLength(1);
    expect((await ensureBuilder(context, { ...described, onMismatch: "error" })).nodes).toHaveLength(1);
  });

  it("keeps whose an ephemeral builder is", async () => {
    await createBuilder(context, { name: "ci" }, { ephemeral: "owner" });
    await ensureBuilder(context, { name: "ci", connect: "exec", onMismatch: "recreate" });
    expect(await context.store.slipwayOptions("ci")).toEqual({ ephemeral: "owner", connect: "exec" });
  });
});

describe("connect", () => {
  it("is compared, refused where it differs, and put in the place of another", async () => {
    await ensureBuilder(context, { name: "ci", connect: "exec" });
    await ensureBuilder(context, { name: "ci" });
    await ensureBuilder(context, { name: "ci", connect: "exec" });
    await expect(ensureBuilder(context, { name: "ci", connect: "socket" })).rejects.toThrow(
      "exists with other connect; use onMismatch",
    );
    await ensureBuilder(context, { name: "ci", connect: "socket", onMismatch: "use" });
    expect(await context.store.slipwayOptions("ci")).toEqual({ connect: "exec" });
    await ensureBuilder(context, { name: "ci", connect: "socket", onMismatch: "recreate" });
    expect(await context.store.slipwayOptions("ci")).toEqual({ connect: "socket" });
    expect(removed).toEqual(["v=1"]);
  });

  it("that is not stored is auto", async () => {
    await ensureBuilder(context, { name: "ci" });
    await ensureBuilder(context, { name: "ci", connect: "auto" });
    await expect(ensureBuilder(context, { name: "ci", connect: "exec" })).rejects.toThrow("other connect");
  });

  it("that is given with another node keeps whose an ephemeral builder is, and the other way round", async () => {
    await createBuilder(context, { name: "ci", connect: "exec" }, { ephemeral: "owner" });
    const endpoint = "unix:///nowhere.sock";
    await createBuilder(context, { name: "ci", append: true, endpoint });
    expect(await context.store.slipwayOptions("ci")).toEqual({ ephemeral: "owner", connect: "exec" });
    await createBuilder(context, { name: "ci", append: true, endpoint: `${endpoint}2`, connect: "socket" });
    expect(await context.store.slipwayOptions("ci")).toEqual({ ephemeral: "owner", connect: "socket" });
  });
});
