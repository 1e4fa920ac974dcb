import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { Builder } from "./builder.js";
import { openBuilderContext } from "./builder-context.js";
import { createBuilder } from "./create-builder.js";
import type { BuilderNode } from "./builder-node.js";
import { loadNodeInfo } from "./node-info.js";

afterEach(() => void vi.useRealTimers());

test("an engine that does not answer is named after some seconds, and given up at the deadline", async () => {
  const dir = await mkdtemp(join(tmpdir(), "slipway-node-info-"));
  const server = createServer(() => {});
  try {
    server.listen(join(dir, "engine.sock"));
    await once(server, "listening");
    const endpoint = `unix://${join(dir, "engine.sock")}`;
    const env = { BUILDX_CONFIG: join(dir, "buildx"), DOCKER_CONFIG: join(dir, "docker") };
    const context = await openBuilderContext({ env });
    await createBuilder(context, { name: "silent", endpoint, driver: "docker-container" });
    const { nodes } = await Builder.open({ name: "silent", env });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const onWait = vi.fn();
    const connected = once(server, "connection");
    const loading = loadNodeInfo(nodes[0] as (typeof nodes)[0], { milliseconds: 20_000, onWait });
    await connected;
    vi.advanceTimersByTime(4_900);
    expect(onWait).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(onWait.mock.calls).toEqual([[`waiting for node silent0 at ${endpoint} to answer`]]);
    vi.advanceTimersByTime(15_000);
    expect((await loading).error).toMatch(/asking node silent0 .* did not finish within 20 s/);
  } finally {
    server.close();
    await rm(dir, { recursive: true, force: true });
  }
});

/** A node of a driver with daemons of these names: one that is called "broken" cannot be reached. */
function nodeOf(...names: string[]): BuilderNode {
  const driver = {
    status: async () => "running",
    instances: async () => names.map((name) => ({ name, status: "running" })),
    connect: async ({ instance }: { instance: string }) => {
      if (instance === "broken") throw new Error("the pod went away");
      return { info: async () => ({ version: "v0.34.2" }), workers: async () => [], close: async () => {} };
    },
    close: async () => {},
  };
  return {
    name: "pods0",
    driver: "kubernetes",
    node: {
      name: "pods0",
      endpoint: "kubernetes:///pods?deployment=pods0",
      driverOpts: {},
      flags: [],
      files: new Map(),
      platforms: [],
    },
    openDriver: async () => driver,
  } as unknown as BuilderNode;
}

test("one daemon of several that does not answer leaves what the others say", async () => {
  const { instances, version, error } = await loadNodeInfo(nodeOf("broken", "sound"), {
    milliseconds: 20_000,
  });
  expect(error).toBeUndefined();
  expect(version).toBe("v0.34.2");
  expect(instances).toEqual([
    { name: "broken", status: "running", platforms: [], error: "the pod went away" },
    { name: "sound", status: "running", platforms: [], version: "v0.34.2" },
  ]);
});

test("daemons of which none answers are an error of their node", async () => {
  const { instances, error } = await loadNodeInfo(nodeOf("broken"), { milliseconds: 20_000 });
  expect([instances, error]).toEqual([undefined, "the pod went away"]);
});
