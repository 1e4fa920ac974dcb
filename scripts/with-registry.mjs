// usage: node scripts/with-registry.mjs CMD…
// Runs CMD with a way to the npm registry for what it starts in the testbed, which has no network: SLIPWAY_TEST_REGISTRY is the path of
// a socket whose other side is an HTTP proxy here, that connects to the registry and nothing else.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";

const registry = "registry.npmjs.org";
const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error("usage: node scripts/with-registry.mjs CMD…");

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-registry-"));
const proxy = http.createServer((_request, response) => response.writeHead(403).end());
proxy.on("connect", ({ url }, near, head) => {
  near.on("error", () => near.destroy());
  if (url !== `${registry}:443`) {
    near.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    return;
  }
  const far = net.connect(443, registry, () => {
    near.write("HTTP/1.1 200 OK\r\n\r\n");
    far.write(head);
    near.pipe(far).pipe(near);
  });
  far.on("error", () => near.destroy());
  near.on("close", () => far.destroy());
});
proxy.listen(path.join(dir, "proxy.sock"), () => {
  const env = { ...process.env, SLIPWAY_TEST_REGISTRY: path.join(dir, "proxy.sock") };
  const child = spawn(command, args, { env, stdio: "inherit" });
  // The terminal signals both; what else comes is for the command.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => console.error(error.message));
  child.on("close", (status) => {
    fs.rmSync(dir, { recursive: true });
    process.exit(status ?? 1);
  });
});
