import { expect, test } from "vitest";
import { frontendAttrs, resolveBuildArgs } from "./frontend-attrs.js";

const attrsOf = (options: object, args: Record<string, string> = {}) =>
  frontendAttrs({ context: ".", ...options }, new Map(Object.entries(args)));

test("maps options to the attributes of the frontend", () => {
  const { attrs, entitlements } = attrsOf(
    {
      target: "prod",
      labels: { a: "b" },
      pull: true,
      noCacheFilter: ["x", "y"],
      network: "host",
      addHosts: ["a:1.2.3.4", "b=::1", "c:[::2]"],
      shmSize: 1024,
      ulimits: ["nofile=1:2", "nproc=5"],
      resources: ["memory=1g", "cpu-quota=5", "cpuset-cpus=0"],
      allow: ["security.insecure"],
    },
    { V: "1", BUILDKIT_SYNTAX: "docker/dockerfile:1 x", BUILDKIT_MULTI_PLATFORM: "1" },
  );
  expect(attrs).toEqual({
    "build-arg:V": "1",
    "build-arg:BUILDKIT_SYNTAX": "docker/dockerfile:1 x",
    "build-arg:BUILDKIT_MULTI_PLATFORM": "1",
    source: "docker/dockerfile:1",
    cmdline: "docker/dockerfile:1 x",
    "multi-platform": "true",
    target: "prod",
    "label:a": "b",
    "image-resolve-mode": "pull",
    "no-cache": "x,y",
    "force-network-mode": "host",
    "add-hosts": "a=1.2.3.4,b=::1,c=::2",
    "shm-size": "1024",
    ulimit: "nofile=1:2,nproc=5:5",
    memory: "1073741824",
    cpuquota: "5",
    cpusetcpus: "0",
  });
  expect(entitlements).toEqual(["security.insecure", "network.host"]);
});

test("SEC-13 asks for no entitlement that was not allowed", () => {
  expect(attrsOf({}).entitlements).toEqual([]);
});

test.each([
  [{ network: "bogus" }, 'network mode "bogus" not supported by buildkit'],
  [{ addHosts: ["x"] }, "invalid host x"],
  [{ ulimits: ["bogus=1"] }, "invalid ulimit type: bogus"],
  [{ ulimits: ["nofile=2:1"] }, "ulimit soft limit must be less than or equal to hard limit"],
  [{ resources: ["gpu=1"] }, 'unknown resource "gpu"'],
  [{ allow: ["everything"] }, "unknown entitlement everything"],
  [{ noCache: true, noCacheFilter: ["x"] }, "cannot currently be used together"],
])("names what is wrong: %j", (options, message) => {
  expect(() => attrsOf(options)).toThrow(message);
});

test("build args without a value take the environment's, and are dropped when it has none", () => {
  const given = { A: "1", B: undefined, C: undefined, toString: undefined, constructor: undefined };
  const args = resolveBuildArgs(given, { B: "2" });
  expect([...args]).toEqual([
    ["A", "1"],
    ["B", "2"],
  ]);
});
