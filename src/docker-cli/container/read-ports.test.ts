import { describe, expect, test } from "vitest";
import { readMount } from "./read-mount.js";
import { readPorts } from "./read-ports.js";

describe("ports", () => {
  test.each([
    ["80", { "80/tcp": [{ HostIp: "", HostPort: "" }] }],
    ["8080:80", { "80/tcp": [{ HostIp: "", HostPort: "8080" }] }],
    ["127.0.0.1:8080:80/udp", { "80/udp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] }],
    ["127.0.0.1::80", { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] }],
    ["[::1]:8080:80", { "80/tcp": [{ HostIp: "::1", HostPort: "8080" }] }],
    ["8000-8010:80", { "80/tcp": [{ HostIp: "", HostPort: "8000-8010" }] }],
    [
      "8000-8001:80-81",
      { "80/tcp": [{ HostIp: "", HostPort: "8000" }], "81/tcp": [{ HostIp: "", HostPort: "8001" }] },
    ],
  ])("--publish %s", (text, bindings) => {
    expect(readPorts([text], [])).toMatchObject({ bindings });
  });

  test("are opened where they are published or exposed", () => {
    expect(readPorts(["8080:80"], ["90-91/udp"]).exposed).toEqual({
      "80/tcp": {},
      "90/udp": {},
      "91/udp": {},
    });
  });

  test.each(["", "x", "1:x", "99999", "80/bogus", "8000-8002:80-81", "90-80"])("%j is refused", (text) => {
    expect(() => readPorts([text], [])).toThrow(/invalid/);
  });
});

describe("mounts", () => {
  test.each([
    ["type=bind,source=/a,target=/b,readonly", { Type: "bind", Source: "/a", Target: "/b", ReadOnly: true }],
    ["src=v,dst=/b,ro=false", { Type: "volume", Source: "v", Target: "/b", ReadOnly: false }],
    [
      "type=bind,src=/a,dst=/b,consistency=cached",
      { Type: "bind", Source: "/a", Target: "/b", Consistency: "cached" },
    ],
    [
      "type=tmpfs,target=/t,tmpfs-size=1m",
      { Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 1 << 20 } },
    ],
    [
      "target=/b,volume-opt=a=1,volume-label=l",
      {
        Type: "volume",
        Target: "/b",
        VolumeOptions: { DriverConfig: { Options: { a: "1" } }, Labels: { l: "" } },
      },
    ],
    ['type=bind,"source=/a,b",target=/b', { Type: "bind", Source: "/a,b", Target: "/b" }],
  ])("%s", (text, mount) => {
    expect(readMount(text)).toEqual(mount);
  });

  test.each([
    "",
    "bogus",
    "type=bogus,target=/a",
    "bogus=1,target=/a",
    "type=bind,source=/a",
    "__proto__=1,target=/a",
  ])("%j is refused", (text) => {
    expect(() => readMount(text)).toThrow();
  });
});
