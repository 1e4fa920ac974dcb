import { expect, test } from "vitest";
import { credentialsKey, familiarHost, isLoopbackHost, registryHost } from "./hub.js";

test("every name of Docker Hub leads to its key and its host", () => {
  for (const host of ["docker.io", "index.docker.io", "registry-1.docker.io"]) {
    expect(credentialsKey(host)).toBe("https://index.docker.io/v1/");
    expect(registryHost(host)).toBe("registry-1.docker.io");
    expect(familiarHost(host)).toBe("docker.io");
  }
  expect(credentialsKey("ghcr.io")).toBe("ghcr.io");
  expect(registryHost("localhost:5000")).toBe("localhost:5000");
});

test("loopback hosts", () => {
  for (const host of ["localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:80", "::1"]) {
    expect(isLoopbackHost(host)).toBe(true);
  }
  for (const host of ["localhost.example", "128.0.0.1", "127.0.0.1.example", "example:80"]) {
    expect(isLoopbackHost(host)).toBe(false);
  }
});
