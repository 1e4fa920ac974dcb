import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { type NodeGroup, emptyNodeGroup } from "./node-group.js";
import { formatPlatform, parsePlatforms } from "./platform.js";
import { type NodeUpdate, leaveNode, updateNode } from "./update-node.js";

const base: NodeUpdate = { endpoint: "unix:///a.sock", endpointGiven: true };

function platformsOf(group: NodeGroup) {
  return group.nodes.map(({ platforms }) => platforms.map(formatPlatform));
}

function twoNodes() {
  const first = updateNode(emptyNodeGroup("foo", "docker-container"), {
    ...base,
    platforms: parsePlatforms(["linux/amd64"]),
    files: new Map([["buildkitd.toml", Buffer.from("a")]]),
    flags: ["--debug"],
  });
  return updateNode(first.group, {
    ...base,
    endpoint: "tcp://b:1",
    append: true,
    platforms: parsePlatforms(["linux/arm64", "linux/arm"]),
  }).group;
}

describe("updateNode", () => {
  it("names new nodes by the first free number", () => {
    const group = leaveNode(twoNodes(), "foo0");
    expect(updateNode(group, { ...base, append: true }).group.nodes.map(({ name }) => name)).toEqual([
      "foo1",
      "foo0",
    ]);
  });

  it("adds a node only when asked to append", () => {
    expect(() => updateNode(twoNodes(), { ...base, node: "x" })).toThrow(
      "node x not found, did you mean to append?",
    );
  });

  it("takes a platform from the nodes that had it", () => {
    const { group, needsRestart } = updateNode(twoNodes(), {
      ...base,
      node: "foo0",
      endpointGiven: false,
      platforms: parsePlatforms(["linux/amd64", "linux/arm/v7"]),
    });
    expect(platformsOf(group)).toEqual([["linux/amd64", "linux/arm/v7"], ["linux/arm64"]]);
    expect(needsRestart).toBe(false);
  });

  it("replaces what is given and keeps the rest", () => {
    const { group, needsRestart } = updateNode(twoNodes(), {
      ...base,
      node: "foo0",
      endpoint: "elsewhere",
      endpointGiven: false,
      driverOpts: { memory: "1g" },
      files: new Map([["certs/ca.pem", Buffer.from("b")]]),
    });
    expect(group.nodes[0]).toMatchObject({
      endpoint: "unix:///a.sock",
      driverOpts: { memory: "1g" },
      flags: ["--debug"],
    });
    expect([...(group.nodes[0]?.files.keys() ?? [])]).toEqual(["buildkitd.toml", "certs/ca.pem"]);
    expect(needsRestart).toBe(true);
  });

  it("STO-5 gives config files to a node that had none", () => {
    const files = new Map([["buildkitd.toml", Buffer.from("x")]]);
    const { group } = updateNode(twoNodes(), { ...base, node: "foo1", endpointGiven: false, files });
    expect(group.nodes[1]?.files).toEqual(files);
  });

  it("STO-4 leaves the group it was given as it was", () => {
    const group = twoNodes();
    const before = inspect(group, { depth: null });
    expect(() => updateNode(group, { ...base, append: true })).toThrow(
      "invalid duplicate endpoint unix:///a.sock",
    );
    updateNode(group, { ...base, node: "foo1", endpoint: "c", platforms: parsePlatforms(["linux/amd64"]) });
    expect(inspect(group, { depth: null })).toBe(before);
  });

  it("refuses what cannot be", () => {
    const group = twoNodes();
    expect(() => updateNode({ ...group, dynamic: true }, base)).toThrow("dynamic");
    expect(() => updateNode(group, { ...base, endpoint: "c", node: "0x", append: true })).toThrow(
      "invalid name 0x",
    );
    expect(() => leaveNode(group, "nope")).toThrow('node "nope" not found for foo');
    expect(() => leaveNode(leaveNode(group, "foo0"), "foo1")).toThrow(
      "can not leave last node, do you want to rm instance instead?",
    );
  });
});
