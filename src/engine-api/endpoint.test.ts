import { describe, expect, it } from "vitest";
import { parseEndpoint } from "./endpoint.js";
import { sshArguments } from "./ssh.js";

describe("parseEndpoint", () => {
  it.each([
    ["unix:///var/run/docker.sock", { kind: "unix", path: "/var/run/docker.sock" }],
    ["npipe:////./pipe/docker_engine", { kind: "npipe", path: "\\\\.\\pipe\\docker_engine" }],
    ["tcp://10.0.0.1", { kind: "tcp", host: "10.0.0.1", port: 2375, prefix: "", tls: false }],
    ["tcp://h:1/proxy/", { kind: "tcp", host: "h", port: 1, prefix: "/proxy", tls: false }],
    ["http://h:80", { kind: "tcp", host: "h", port: 80, prefix: "", tls: false }],
    ["https://h", { kind: "tcp", host: "h", port: 2376, prefix: "", tls: true }],
    ["tcp://[::1]:5", { kind: "tcp", host: "::1", port: 5, prefix: "", tls: false }],
    ["ssh://h", { kind: "ssh", host: "h" }],
    ["ssh://me@h:22/run/d.sock", { kind: "ssh", host: "h", user: "me", port: 22, socket: "/run/d.sock" }],
  ])("%s", (host, endpoint) => {
    expect(parseEndpoint(host, { tls: false })).toEqual(endpoint);
  });

  it("SEC-36 with TLS the default port is another, and http is no way around it", () => {
    expect(parseEndpoint("tcp://h", { tls: true })).toMatchObject({ port: 2376, tls: true });
    expect(parseEndpoint("http://h:1", { tls: true })).toMatchObject({ tls: true });
  });

  it.each([
    "",
    "/var/run/docker.sock",
    "fd://",
    "unix://",
    "unix:///a\nb",
    "npipe://",
    "npipe://./pipe/x",
    "npipe:///x",
    "tcp://",
    "tcp://h:0",
    "tcp://h:70000",
    "tcp://h/../x",
    "tcp://h\r\nX: y",
    "tcp://user@h",
    "ssh://",
    "ssh://-oProxyCommand=x",
    "ssh://-oProxyCommand=x@h",
    "ssh://%2doProxyCommand=x@h",
    "ssh://u:secret@h",
    "ssh://h?x=1",
    "ssh://h#x",
    "ssh://h/run/$(id)",
    "ssh://h/run/a%20b",
    "ssh://u%0a@h",
    "ssh://h/%zz",
  ])("SEC-23 refuses %j", (host) => {
    expect(() => parseEndpoint(host, { tls: false })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("the password of an ssh URL is not repeated", () => {
    expect(() => parseEndpoint("ssh://u:secret@h", { tls: false })).toThrow(/^(?!.*secret).*$/);
  });
});

describe("sshArguments", () => {
  it("keeps the host behind the options' end", () => {
    const endpoint = parseEndpoint("ssh://me@h:2222/run/d.sock", { tls: false });
    expect(endpoint.kind === "ssh" && sshArguments(endpoint).join(" ")).toBe(
      "-o ConnectTimeout=30 -T -l me -p 2222 -- h docker --host unix:///run/d.sock system dial-stdio",
    );
  });
});
