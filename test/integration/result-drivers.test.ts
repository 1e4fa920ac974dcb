import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { containerName } from "../../src/driver/index.js";
import { EngineClient } from "../../src/engine-api/index.js";
import { type BuildError, Builder, connect, files, memory, openResult } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { Workplace } from "../support/workplace.js";

/** Results that are opened on every kind of node, on the oldest BuildKit, and when something goes wrong. */
const { dockerHost, long } = engineEnv();
let engine: EngineClient;
let builder: Builder;

beforeAll(async () => {
  engine = EngineClient.open({ host: dockerHost });
  builder = await Builder.ensure({ name: "result-drivers", driverOpts: { network: "host" } });
  await builder.boot();
}, 120_000);

afterAll(async () => {
  await builder?.remove();
  await engine?.close();
});

const dockerfile = "FROM busybox\nWORKDIR /srv\nRUN echo text >/file\n";
const context = files({ Dockerfile: dockerfile });
const failing = files({ Dockerfile: `${dockerfile}RUN echo kept >kept; exit 3\n` });
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: BuildError) => error,
  );

describe("a result is opened, run in and exported", () => {
  test("by the driver docker, whose engine has no proxy for networks", async () => {
    await engine.images.pull("busybox");
    await using result = await openResult({ builder: "default", context });
    expect((await result.readFile("/file")).toString()).toBe("text\n");
    expect((await result.exec(["pwd"])).stdout.toString()).toBe("/srv\n");
    const { imageId = "" } = await result.export([{ type: "docker" }], { tags: ["result-drivers:1"] });
    expect((await engine.images.inspect("result-drivers:1")).Id).toBe(imageId);
    await engine.images.remove("result-drivers:1", { force: true });
    expect(await failure(openResult({ builder: "default", context, proxyNetwork: true }))).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("the docker driver cannot watch") as string,
    });
  });

  test("at an address, as the driver remote does", async () => {
    const address = `docker-container://${containerName("result-drivers0")}`;
    await using result = await openResult({ address, context });
    expect((await result.exec(["cat", "/file"])).stdout.toString()).toBe("text\n");
    const tar = memory();
    await result.export([{ type: "tar", dest: tar }]);
    expect((await tar.files()).get("file")?.content.toString()).toBe("text\n");
    await using failed = await failure(
      connect({ address }).then((warm) => warm.build({ context: failing, onFailure: "keep" })),
    );
    expect((await failed?.files?.readFile("/srv/kept"))?.toString()).toBe("kept\n");
  });

  test("by BuildKit 0.12.5, which names what it cannot do", async () => {
    const old = await Builder.ensure({
      name: "result-drivers-old",
      driverOpts: { network: "host", image: "moby/buildkit:v0.12.5" },
    });
    try {
      await using connection = await connect({ builder: old });
      await using result = await connection.openResult({ context });
      expect((await result.readFile("/file")).toString()).toBe("text\n");
      expect((await result.exec(["pwd"])).stdout.toString()).toBe("/srv\n");
      const tar = memory();
      await result.export([{ type: "tar", dest: tar }]);
      expect((await tar.files()).get("file")?.content.toString()).toBe("text\n");
      await using failed = await failure(connection.build({ context: failing, onFailure: "keep" }));
      expect((await failed?.files?.exec(["cat", "kept"]))?.stdout.toString()).toBe("kept\n");
      const tooOld = await failure(failed?.files?.readFile("/srv/kept") ?? Promise.resolve());
      expect(tooOld).toMatchObject({ code: "BUILDKIT_TOO_OLD" });
      const proxied = await failure(connection.build({ context, proxyNetwork: true }));
      expect(proxied?.message).toContain("v0.31 or later");
      const { explained } = await connection.build({ context, explain: true, noCache: true });
      expect(explained?.unknown ?? explained?.steps.length).toBeTruthy();
    } finally {
      await old.remove();
    }
  });
});

test("output goes to a slow reader in bounded memory", async () => {
  const mebibytes = long ? 1024 : 256;
  await using place = await Workplace.open("result-faults");
  const own = await place.builder("b", "--driver-opt", "network=host", "--bootstrap");
  const dir = await place.context({ Dockerfile: "FROM busybox\n" });
  const command = `head -c ${mebibytes * 2 ** 20} /dev/zero`;
  const run = place.start(["build", "--builder", own, "-q", "--on", "always", "--invoke", command, dir], {
    readStdout: false,
  });
  let bytes = 0;
  const { stdout } = run.child;
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    if (bytes >> 24 !== (bytes + chunk.length) >> 24) await new Promise((resolve) => setTimeout(resolve, 20));
    bytes += chunk.length;
  }
  const { exitCode, peakMebibytes } = await run.result;
  expect({ exitCode, bytes }).toEqual({ exitCode: 0, bytes: mebibytes * 2 ** 20 });
  console.log(`${mebibytes} MiB of output: ${peakMebibytes} MiB resident at most`);
  expect(peakMebibytes).toBeLessThan(200);
});

test("a builder that is killed ends a command, a reading and an export, and says so", async () => {
  const lost = await Builder.ensure({ name: "result-drivers-lost", driverOpts: { network: "host" } });
  try {
    const result = await openResult({ builder: lost, context });
    const running = failure(result.exec(["sleep", "600"]));
    await result.exec(["true"]);
    await engine.containers.kill(containerName("result-drivers-lost0"));
    const codes = ["BUILDER_LOST", "BUILDKIT_CONNECTION_LOST", "SESSION_LOST", "RESULT_CLOSED"];
    expect(codes).toContain((await running)?.code);
    expect(codes).toContain((await failure(result.readFile("/file")))?.code);
    expect(codes).toContain((await failure(result.export([{ type: "tar", dest: memory() }])))?.code);
    await result.close();
    await result.close();
  } finally {
    await lost.remove();
  }
});
