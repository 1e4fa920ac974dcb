import { describe, expect, test } from "vitest";
import type { NodeFeatures } from "../driver/index.js";
import { loadDockerConfig } from "../config/index.js";
import { files } from "./contexts.js";
import type { BuildOptions } from "./build-options.js";
import { type NodeFacts, planForNode } from "./plan-for-node.js";
import { planBuild } from "./solve-plan.js";

const all: NodeFeatures = {
  ociExporter: true,
  dockerExporter: true,
  cacheExport: true,
  multiPlatform: true,
  directPush: true,
  preferImageDigest: true,
};
const none = Object.fromEntries(Object.keys(all).map((name) => [name, false])) as unknown as NodeFeatures;

const engineNode = (features: NodeFeatures): NodeFacts => ({
  driverName: "docker",
  engineStore: true,
  features,
  endpoint: "here",
});
const container: NodeFacts = { driverName: "docker-container", engineStore: false, features: all };

/** The plan of these options for a node. */
async function planFor(node: NodeFacts, options: Partial<BuildOptions>) {
  const dockerConfig = await loadDockerConfig({ DOCKER_CONFIG: "/nowhere" });
  const { driverName, engineStore } = node;
  const facts = { env: {}, dockerConfig, nodeId: "n", defaultLoad: false, driverName, engineStore };
  const context = files({ Dockerfile: "FROM scratch\n" });
  return planForNode(await planBuild({ context, ...options }, facts), node);
}

describe("the classic store of an engine", () => {
  test.each<[Partial<BuildOptions>, string]>([
    [
      { cacheTo: [{ type: "local", attrs: { dest: "/nowhere" } }] },
      "Cache export is not supported for the docker driver.",
    ],
    [{ attests: ["type=sbom"] }, "Attestation is not supported for the docker driver."],
    [
      { outputs: [{ type: "oci", dest: "/tmp/x.tar" }] },
      "OCI exporter is not supported for the docker driver.",
    ],
    [
      { outputs: [{ type: "docker", dest: "/tmp/x.tar" }] },
      "Docker exporter is not supported for the docker driver.",
    ],
    [
      { platforms: ["linux/amd64", "linux/arm64"] },
      "Multi-platform build is not supported for the docker driver.",
    ],
    [
      { outputs: [{ type: "image", attrs: { name: "a" } }], annotations: ["index:a=b"] },
      "index annotations not supported for single platform export",
    ],
    [
      { outputs: [{ type: "image", attrs: { name: "a", push: "true", "push-by-digest": "true" } }] },
      "push-by-digest is currently not implemented for docker driver",
    ],
    [
      { outputs: [{ type: "docker", attrs: { context: "there" } }] },
      "builds into the engine of here, not into that of context there: build there with --builder there",
    ],
    [{ addHosts: ["x:host-gateway"] }, "host-gateway IP not found"],
  ])("refuses %j", async (options, message) => {
    await expect(planFor(engineNode(none), options)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(message) as string,
    });
  });

  test("keeps images by its own exporter, and says nothing of where they were made", async () => {
    const { attrs, exports } = await planFor(engineNode(none), { tags: ["app:1"], load: true });
    expect(attrs).toMatchObject({ "image-resolve-mode": "local" });
    expect(attrs).not.toHaveProperty("attest:provenance");
    expect(exports).toEqual([{ type: "moby", attrs: { name: "app:1" }, destination: { kind: "none" } }]);
  });

  test("takes inline caches, and directories", async () => {
    const plan = await planFor(engineNode(none), {
      cacheTo: [{ type: "inline" }],
      outputs: [{ type: "local", dest: "/tmp" }],
    });
    expect(plan.caches.exports).toEqual([expect.objectContaining({ type: "inline" })]);
    expect(plan.exports).toEqual([expect.objectContaining({ type: "local" })]);
  });
});

describe("the containerd store of an engine", () => {
  test("takes all of it, by digests of manifests, and by the host's address", async () => {
    const node = engineNode({ ...all, hostGateway: "172.17.0.1" });
    const { attrs, exports } = await planFor(node, {
      tags: ["app:1"],
      load: true,
      platforms: ["linux/amd64", "linux/arm64"],
      attests: ["type=sbom"],
      cacheTo: [{ type: "local", attrs: { dest: "/nowhere" } }],
      addHosts: ["x:host-gateway", "y:10.0.0.1"],
      pull: true,
    });
    expect(attrs["add-hosts"]).toBe("x=172.17.0.1,y=10.0.0.1");
    expect(attrs["image-resolve-mode"]).toBe("pull");
    expect(exports).toMatchObject([{ type: "moby", attrs: { "prefer-image-digest": "true" } }]);
  });

  test("has its own images as bases by their names", async () => {
    const plan = await planFor(engineNode(all), { buildContexts: { base: "docker-image://app:1" } });
    expect(plan.attrs["context:base"]).toMatch(/^docker-image:\/\//);
    expect(plan.inputs.engineContexts.size).toBe(0);
  });
});

test("a container builder's plan stays as it is", async () => {
  const plan = await planFor(container, { tags: ["app:1"], load: true });
  expect(plan.exports).toMatchObject([{ type: "docker", destination: { kind: "load" } }]);
  expect(plan.attrs).not.toHaveProperty("image-resolve-mode");
});
