import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadDockerConfig } from "../config/index.js";
import type { BuildOptions } from "./build-options.js";
import { files } from "./contexts.js";
import { localCacheName } from "./local-cache-name.js";
import { planBuild } from "./solve-plan.js";
import { solveRequest } from "./solve-request.js";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "slipway-places-"))));
afterEach(() => rm(dir, { recursive: true }));

async function plan(options: Partial<BuildOptions>) {
  return planBuild(
    { context: files({ Dockerfile: "FROM scratch\n" }), ...options },
    {
      env: {},
      dockerConfig: await loadDockerConfig({ DOCKER_CONFIG: "/nowhere" }),
      nodeId: "n",
      defaultLoad: false,
      driverName: "docker-container",
      engineStore: false,
    },
  );
}

const places: [what: string, options: (path: string) => Partial<BuildOptions>][] = [
  ["an output directory", (dest) => ({ outputs: [{ type: "local", dest }] })],
  ["an archive", (dest) => ({ outputs: [{ type: "tar", dest }] })],
  ["an image's archive", (dest) => ({ outputs: [{ type: "oci", dest }] })],
  ["a layout", (dest) => ({ outputs: [{ type: "oci", dest, attrs: { tar: "false" } }] })],
  ["a local cache", (dest) => ({ cacheTo: [{ type: "local", attrs: { dest } }] })],
  ["cache mounts", (dir) => ({ cacheMounts: { dir } })],
];

test.each(places)(
  "a link that leads nowhere is refused as %s before anything is built",
  async (_what, options) => {
    const path = join(dir, "link");
    await symlink("none/x", path);
    await expect(plan(options(path))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/link.*the symbolic link leads nowhere/) as string,
    });
  },
);

test.each([
  ["/a/b", "/a/b"],
  ["cache dir", "cache dir"],
  ["/каталог", "escaped:%2F%D0%BA%D0%B0%D1%82%D0%B0%D0%BB%D0%BE%D0%B3"],
  ["a\tb", "escaped:a%09b"],
  ["a\nb", "escaped:a%0Ab"],
  ["ends in a blank ", "escaped:ends%20in%20a%20blank%20"],
])("the builder knows the local cache %j as %j, which gRPC metadata can carry", async (path, name) => {
  expect(localCacheName(path)).toBe(name);
  const dest = join(dir, path);
  const made = solveRequest(await plan({ cacheTo: [{ type: "local", attrs: { dest } }] }), "s");
  expect(made.Cache?.Exports?.[0]).toMatchObject({ Type: "local", Attrs: { dest: localCacheName(dest) } });
});

test("an empty name of a Dockerfile is none", async () => {
  expect((await plan({ file: "" })).inputs.dockerfilePath).toBe((await plan({})).inputs.dockerfilePath);
});
