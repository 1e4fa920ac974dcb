import { PassThrough } from "node:stream";
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

test("a git address with a query goes to the frontend, or with BUILDX_SEND_GIT_QUERY_AS_INPUT as its input", async () => {
  const remote = "https://user:word@example.com/a.git?branch=b";
  const options = { context: remote, buildContexts: { other: remote, image: "docker-image://x" } };
  for (const value of ["0", "false", "maybe", ""]) {
    const { attrs, inputs, warnings } = await plan(options, { BUILDX_SEND_GIT_QUERY_AS_INPUT: value });
    expect(attrs).toMatchObject({ context: remote, "context:other": remote });
    expect(attrs["frontend.caps"]).toContain("gitquerystring");
    expect([inputs.graphs, ...warnings]).toEqual([undefined]);
  }
  const asInput = (more: Partial<BuildOptions>) =>
    plan({ ...options, ...more }, { BUILDX_SEND_GIT_QUERY_AS_INPUT: "1" });
  const { attrs, inputs } = await asInput({});
  expect(attrs).toMatchObject({
    "input:context": remote,
    "context:other": "input:git_state_context:other",
    "input:context:other": remote,
    "context:image": "docker-image://x",
    "frontend.caps": "moby.buildkit.frontend.contexts+forward",
  });
  expect(attrs).not.toHaveProperty("context");
  expect([...(inputs.graphs?.keys() ?? [])]).toEqual(["context", "dockerfile", "git_state_context:other"]);
  expect(inputs.remotePolicy?.graph).toBe(inputs.graphs?.get("context"));
  // A Dockerfile from here is not looked for there.
  const inline = await asInput({ dockerfile: "FROM scratch\n" });
  expect([...(inline.inputs.graphs?.keys() ?? [])]).toEqual(["context", "git_state_context:other"]);
  // Without a query nothing changes.
  const plain = await asInput({ context: "https://example.com/a.git#b", buildContexts: {} });
  expect(plain.attrs["context"]).toBe("https://example.com/a.git#b");
  expect(plain.inputs.graphs?.size).toBe(0);
  await expect(asInput({ context: "https://u:word@h/a.git?branch=b&tag=c" })).rejects.toThrow(
    'invalid git reference "https://h/a.git?branch=b&tag=c": branch conflicts with tag',
  );
});

const taken = (): WritableStream => {
  const stream = new WritableStream();
  stream.getWriter();
  return stream;
};

test.each([
  ["destroyed", () => new PassThrough().destroy(), "it was destroyed"],
  ["ended", () => new PassThrough().end(), "it was ended"],
  ["locked", taken, "Invalid state: WritableStream is locked"],
])("an output's stream that is %s is told before anything is dialled", async (_, make, why) => {
  const planning = plan({ outputs: [{ type: "tar", dest: make() }] });
  await expect(planning).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining(`the stream for the output tar cannot be written: ${why}`) as string,
  });
});
