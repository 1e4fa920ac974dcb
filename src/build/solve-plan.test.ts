import { expect, test } from "vitest";
import type { BuildOptions } from "./build-options.js";
import { loadDockerConfig } from "../config/index.js";
import { files } from "./contexts.js";
import { planBuild } from "./solve-plan.js";

const context = files({ Dockerfile: "FROM scratch\n" });
async function plan(options: Partial<BuildOptions>, env: Record<string, string> = {}) {
  const dockerConfig = await loadDockerConfig({ DOCKER_CONFIG: "/nowhere" });
  return planBuild(
    { context, ...options },
    {
      env,
      dockerConfig,
      nodeId: "n",
      defaultLoad: false,
      driverName: "docker-container",
      engineStore: false,
    },
  );
}

test("host-gateway is refused where the driver knows no such address", async () => {
  await expect(plan({ addHosts: ["x=10.0.0.1", "y:host-gateway"] })).rejects.toThrow(
    "host-gateway is not supported by the docker-container driver",
  );
});

test("BUILDX_DEFAULT_POLICY is refused by name, not ignored", async () => {
  for (const value of ["1", "true"])
    await expect(plan({}, { BUILDX_DEFAULT_POLICY: value })).rejects.toThrow(/^BUILDX_DEFAULT_POLICY/);
  for (const value of ["0", "", "maybe"]) await plan({}, { BUILDX_DEFAULT_POLICY: value });
  await plan({ policies: ["disabled=true"] }, { BUILDX_DEFAULT_POLICY: "1" });
});

test("versions and features of a platform's system are sent", async () => {
  const platforms = ["windows(10.0.17763)/amd64", "windows(10.0.20348+win32k)/amd64", "linux/arm64/v8"];
  const { attrs } = await plan({ platforms });
  expect(attrs["platform"]).toBe("windows(10.0.17763)/amd64,windows(10.0.20348+win32k)/amd64,linux/arm64");
});

test("BUILDX_SEND_GIT_QUERY_AS_INPUT is told not to be acted on, where buildx would", async () => {
  const env = { BUILDX_SEND_GIT_QUERY_AS_INPUT: "true" };
  const remote = "https://example.com/a.git?branch=b";
  const warnings = async (options: Partial<BuildOptions>, variables: Record<string, string> = env) =>
    (await plan(options, variables)).warnings.join();
  expect(await warnings({ context: remote })).toContain("BUILDX_SEND_GIT_QUERY_AS_INPUT is not supported");
  expect(await warnings({ buildContexts: { other: remote } })).toContain("BUILDX_SEND_GIT_QUERY_AS_INPUT");
  expect(await warnings({ context: remote }, {})).toBe("");
  expect(await warnings({ context: remote }, { BUILDX_SEND_GIT_QUERY_AS_INPUT: "0" })).toBe("");
  expect(await warnings({ context: "https://example.com/a.git#b" })).toBe("");
});
