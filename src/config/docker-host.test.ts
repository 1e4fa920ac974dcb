import { expect, test } from "vitest";
import { parseDockerHost } from "./docker-host.js";

test.each([
  ["", "unix:///var/run/docker.sock"],
  ["unix://", "unix:///var/run/docker.sock"],
  ["unix:///tmp/x.sock", "unix:///tmp/x.sock"],
  ["tcp://", "tcp://localhost:2375"],
  ["1.2.3.4", "tcp://1.2.3.4:2375"],
  ["tcp://host:1234/base", "tcp://host:1234/base"],
  ["tcp://:1234", "tcp://localhost:1234"],
  ["tcp://[::1]:5", "tcp://[::1]:5"],
  ["tcp://[::1]:", "tcp://[::1]:2375"],
  ["ssh://me@host:22/run/docker.sock", "ssh://me@host:22/run/docker.sock"],
  ["npipe://", "npipe:////./pipe/docker_engine"],
])("%j is %s", (text, host) => {
  expect(parseDockerHost(text)).toBe(host);
});

test("TLS has its own default", () => {
  expect(parseDockerHost("", { tls: true })).toBe("tcp://localhost:2376");
});

test.each(["http://x", "tcp://a:b", "tcp://unix://x", "unix://tcp://x", "tcp://h:99999"])(
  "refuses %j",
  (text) => {
    expect(() => parseDockerHost(text)).toThrow(/invalid (bind|proto)/);
  },
);
