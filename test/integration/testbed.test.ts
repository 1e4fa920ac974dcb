import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { expect, it } from "vitest";
import { engineEnv } from "../support/engine-env.js";

const env = engineEnv();

it("gives the tests an engine that answers", async () => {
  const socketPath = env.dockerHost.replace("unix://", "");
  const body = await new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: "/_ping", agent: false }, (response) => {
      response.setEncoding("utf8").on("data", resolve).on("error", reject);
    });
    request.on("error", reject);
  });
  expect(body).toBe("OK");
});

it("gives the tests a registry, and builders a configuration that names it", async () => {
  const response = await fetch(`http://${env.registry}/v2/`);
  expect(response.status).toBe(200);
  await response.arrayBuffer();
  const config = await readFile(path.join(env.buildxConfig, "buildkitd.default.toml"), "utf8");
  expect(config).toContain(`[registry."${env.registry}"]`);
});

it("puts slipway first on PATH", () => {
  const first = process.env["PATH"]
    ?.split(path.delimiter)
    .find((dir) => existsSync(path.join(dir, "slipway")));
  expect(first).toBe(path.join(path.dirname(env.buildxConfig), "bin"));
});
