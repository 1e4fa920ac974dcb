import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openBuilderContext } from "./builder-context.js";
import { createBuilder } from "./create-builder.js";
import type { CreateBuilderOptions } from "./create-options.js";

test("BUILDKIT_HOST makes a builder of the driver remote, unless something else is asked for", async () => {
  const dir = await mkdtemp(join(tmpdir(), "slipway-create-"));
  try {
    const env = { BUILDX_CONFIG: join(dir, "buildx"), DOCKER_CONFIG: join(dir, "docker") };
    const context = await openBuilderContext({ env });
    const buildkitHost = "tcp://buildkit:1234";
    const { group } = await createBuilder(context, { name: "far", buildkitHost });
    expect(group).toMatchObject({ driver: "remote", nodes: [{ endpoint: buildkitHost, flags: [] }] });
    const others = [
      { name: "one", buildkitHost, driver: "docker-container" },
      { name: "two", buildkitHost, endpoint: "unix:///engine.sock" },
      { name: "one", node: "one0", buildkitHost, platforms: ["linux/arm64"] },
      { name: "three", buildkitHost: "" },
    ];
    for (const options of others)
      expect((await createBuilder(context, options)).group.driver).toBe("docker-container");
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test("stopping while the engine is asked is an abort, and leaves no builder", async () => {
  const dir = await mkdtemp(join(tmpdir(), "slipway-create-"));
  const stop = new AbortController();
  // An engine that takes connections and says nothing.
  const server = createServer(() => stop.abort());
  try {
    const host = `unix://${join(dir, "engine.sock")}`;
    await new Promise<void>((resolve) => server.listen(join(dir, "engine.sock"), resolve));
    const env = { BUILDX_CONFIG: join(dir, "buildx"), DOCKER_CONFIG: join(dir, "docker"), DOCKER_HOST: host };
    const context = await openBuilderContext({ env });
    await expect(
      createBuilder(context, { name: "stopped", checkMilliseconds: 60_000, signal: stop.signal }),
    ).rejects.toMatchObject({ code: "ABORTED" });
    expect(await context.store.get("stopped")).toBeUndefined();
  } finally {
    server.close();
    await rm(dir, { recursive: true, force: true });
  }
});

test("endpoints and drivers of buildx that are not there are told as that, before anything else is looked at", async () => {
  const dir = await mkdtemp(join(tmpdir(), "slipway-create-"));
  try {
    const env = { BUILDX_CONFIG: join(dir, "buildx"), DOCKER_CONFIG: join(dir, "docker") };
    const context = await openBuilderContext({ env });
    const refused = async (options: CreateBuilderOptions) =>
      createBuilder(context, { name: "b", ...options }).then(
        () => expect.fail("should have been refused"),
        (error: Error) => error,
      );
    for (const [endpoint, driver] of [
      ["docker-container://buildkitd", "remote"],
      ["kube-pod://buildkitd", "remote"],
      ["PODMAN-container://buildkitd", "remote"],
      ["kubernetes:///b?deployment=x", "kubernetes"],
      ["cloud://me/mine", "cloud"],
    ] as const)
      expect(await refused({ endpoint })).toMatchObject({
        code: "DRIVER_UNSUPPORTED",
        message: expect.stringContaining(`${endpoint} is an endpoint of the driver "${driver}"`) as string,
      });
    const options = { endpoint: "docker-container://x", buildkitdConfig: "/absent", driverOpts: { a: "b" } };
    for (const driver of ["cloud", "docker", "nonsense"])
      expect(await refused({ ...options, driver })).toMatchObject({
        code: "DRIVER_UNSUPPORTED",
        message: expect.stringContaining(`with the driver "${driver}": `) as string,
      });
    expect(await context.store.list()).toEqual([]);
    await createBuilder(context, { name: "b" });
    expect((await refused({ driver: "remote", node: "b0" })).message).toContain("mismatched driver");
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
