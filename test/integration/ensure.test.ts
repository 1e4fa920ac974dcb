import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuildEvent, Builder, diskUsage, connect, files } from "../../src/index.js";
import { Workplace, eventually } from "../support/workplace.js";

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.open("ensure");
});

afterAll(async () => {
  await place?.close();
});

test("a builder is found by its description, refused where it differs, and made again on request", async () => {
  const { env } = place;
  const name = `${place.id}-find`;
  const driverOpts = { network: "host" };
  const config = place.path("buildkitd.toml");
  await writeFile(config, "debug = true\n");
  const description = { name, driverOpts, buildkitdFlags: "--debug", platforms: ["linux/arm64"], env };
  await Builder.ensure(description);
  expect((await Builder.ensure(description)).nodes).toHaveLength(1);
  const others: [what: string, change: object][] = [
    ["driver options", { driverOpts: {} }],
    ["flags of buildkitd", { buildkitdFlags: "--trace" }],
    ["platforms", { platforms: ["linux/amd64"] }],
    ["endpoint", { endpoint: "tcp://127.0.0.1:9" }],
    ["config", { buildkitdConfig: config }],
    ["config", { maxCacheSize: "1gb" }],
  ];
  for (const [what, change] of others)
    await expect(Builder.ensure({ ...description, ...change })).rejects.toMatchObject({
      code: "STORE_REFUSED",
      message: expect.stringContaining(`exists with other ${what}; use onMismatch`) as string,
    });
  const kept = await Builder.ensure({ ...description, maxCacheSize: "1gb", onMismatch: "use" });
  expect(kept.group.nodes[0]?.files.get("buildkitd.toml")?.toString()).not.toContain("maxUsedSpace");
  const made = await Builder.ensure({ ...description, maxCacheSize: "1gb", onMismatch: "recreate" });
  expect(made.group.nodes[0]?.files.get("buildkitd.toml")?.toString()).toContain("maxUsedSpace = 1073741824");
  await expect(Builder.ensure({ ...description, maxCacheSize: "much" })).rejects.toThrow("invalid size");
  await expect(Builder.ensure({ ...description, maxCacheSize: 0 })).rejects.toThrow("invalid cache size 0");
  await made.remove();
});

test("a cache beyond its size is collected by BuildKit itself", async () => {
  const { env } = place;
  const name = `${place.id}-small`;
  const limit = 20 << 20;
  const builder = await Builder.ensure({ name, driverOpts: { network: "host" }, maxCacheSize: limit, env });
  const driver = await builder.nodes[0]!.openDriver();
  const used = async () => {
    const client = await driver.connect();
    try {
      return (await diskUsage(client)).reduce((sum, { size }) => sum + size, 0);
    } finally {
      await client.close();
    }
  };
  {
    await using connection = await connect({ builder, env });
    for (let round = 0; round < 3; round++) {
      const context = files({ Dockerfile: "FROM scratch\nCOPY data /\n", data: randomBytes(12 << 20) });
      await connection.build({ context, outputs: [{ type: "cacheonly" }], env });
    }
  }
  // 36 MiB were built. It collects a second after its start, on a slow machine in the middle of the builds, and otherwise a minute
  // after a build.
  await builder.stop();
  await eventually(async () => (await used()) <= limit);
  await driver.close();
});

test("a warm connection survives its builder's restart, boots it again, and says so", async () => {
  const { env } = place;
  const name = `${place.id}-warm`;
  const builder = await Builder.ensure({ name, driverOpts: { network: "host" }, env });
  await using connection = await connect({ builder, env });
  const build = async () => {
    const told: string[] = [];
    const context = files({ Dockerfile: "FROM scratch\nCOPY hello /\n", hello: "hi\n" });
    const onEvent = (event: BuildEvent) => void (event.type === "message" && told.push(event.text));
    await connection.build({ context, outputs: [{ type: "cacheonly" }], env, onEvent });
    return told;
  };
  expect(await build()).toEqual([]);
  for (const again of [() => builder.stop(), () => place.engine.containers.kill(place.container(name))]) {
    await again();
    expect(await build()).toEqual([expect.stringContaining("was lost, connecting again")]);
    expect(await build()).toEqual([]);
  }
});
