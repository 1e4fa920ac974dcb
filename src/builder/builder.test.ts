import { afterEach, describe, expect, it } from "vitest";
import { FakeBuilder, answersInfo } from "../../test/support/fake-builder.js";
import { control } from "../buildkit/index.js";
import { GrpcError, type ServerCall, grpcCodes } from "../http2/index.js";
import { service } from "../session/index.js";
import { cancelled } from "../../test/support/fake-result.js";

const platforms = ["linux/amd64", "linux/arm64"];
let fake: FakeBuilder;
afterEach(() => fake[Symbol.asyncDispose]());

const container = (number: number) => `/containers/buildx_buildkit_b${number}`;
const stops = (number: number) => fake.engine.callsOf("POST", `${container(number)}/stop`).length;
function running(): void {
  for (const { state } of fake.nodes) Object.assign(state, { Status: "running", Running: true });
}

describe("stopping a builder", () => {
  it("stops all its nodes, and one that cannot be stopped keeps no other running", async () => {
    fake = await FakeBuilder.open([answersInfo()], platforms);
    running();
    fake.engine
      .on("POST", `${container(0)}/stop`, (call) => call.refuse(500, "the first is stuck"))
      .on("POST", `${container(1)}/stop`, (call) => call.empty());
    const builder = await fake.builder();
    await expect(builder.stop()).rejects.toThrow("the first is stuck");
    expect([stops(0), stops(1)]).toEqual([1, 1]);
    fake.engine.on("POST", `${container(0)}/stop`, (call) => call.empty());
    await builder.stop();
    expect([stops(0), stops(1)]).toEqual([2, 2]);
  });

  it("ends with the cancel, and asks no further node", async () => {
    fake = await FakeBuilder.open([answersInfo()], platforms);
    running();
    const abort = new AbortController();
    fake.engine.on("POST", `${container(0)}/stop`, () => abort.abort());
    await expect((await fake.builder()).stop({ signal: abort.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect(stops(1)).toBe(0);
  });

  it("fails with what its engine fails with", async () => {
    fake = await FakeBuilder.open();
    fake.engine
      .on("GET", `${container(0)}/json`, (call) => call.cut())
      .on("POST", `${container(0)}/stop`, (call) => call.cut());
    await expect((await fake.builder()).stop()).rejects.toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
  });
});

describe("booting a builder", () => {
  it("makes all its nodes run, and tells what one fails with when all are over", async () => {
    fake = await FakeBuilder.open([answersInfo()], platforms);
    const builder = await fake.builder();
    await builder.boot();
    expect(fake.nodes.map(({ state }) => state["Running"])).toEqual([true, true]);
    Object.assign(fake.state, { Status: "exited", Running: false });
    Object.assign(fake.nodes[1]?.state ?? {}, { Status: "exited", Running: false });
    fake.engine.on("POST", `${container(0)}/start`, (call) => call.refuse(500, "no such device"));
    await expect(builder.boot()).rejects.toThrow("no such device");
    expect(fake.nodes.map(({ state }) => state["Running"])).toEqual([false, true]);
  });

  it("ends with the cancel, and throws what its listener throws", async () => {
    fake = await FakeBuilder.open([answersInfo()], platforms);
    const builder = await fake.builder();
    const onEvent = () => {
      throw new Error("the listener is broken");
    };
    await expect(builder.boot({ onEvent })).rejects.toThrow("the listener is broken");
    Object.assign(fake.state, { Status: "exited", Running: false });
    const abort = new AbortController();
    fake.engine.on("POST", `${container(0)}/start`, () => abort.abort());
    await expect(builder.boot({ signal: abort.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("asking a builder's nodes", () => {
  /** Daemons whose workers are these. */
  async function open(record: (call: ServerCall) => object[] | Promise<object[]>): Promise<void> {
    const info = () => ({ buildkitVersion: { version: "v0.34.2" } });
    const listWorkers = async (_request: unknown, call: ServerCall) => ({ record: await record(call) });
    fake = await FakeBuilder.open([service(control.Control, { info, listWorkers })], platforms);
  }

  it("boots none, and gives what each is and says", async () => {
    await open(() => [
      {
        ID: "w1",
        Labels: { a: "b" },
        platforms: [
          { OS: "linux", Architecture: "x86_64" },
          { OS: "linux", Architecture: "amd64" },
          { OS: "linux", Architecture: "arm", Variant: "7" },
        ],
        GCPolicy: [
          { all: true, filters: ["type==x"], keepDuration: 1_500_000n, reservedSpace: 1n, maxUsedSpace: 2n },
        ],
        CDIDevices: [{ Name: "vendor/gpu", AutoAllow: true, Annotations: { x: "y" } }],
      },
      { ID: "w2" },
    ]);
    const builder = await fake.builder();
    expect((await builder.inspect()).map(({ status }) => status)).toEqual(["stopped", "stopped"]);
    Object.assign(fake.state, { Status: "running", Running: true });
    const [first, second] = await builder.inspect();
    expect(second?.status).toBe("stopped");
    expect(first).toEqual({
      status: "running",
      version: "v0.34.2",
      workerIds: ["w1", "w2"],
      labels: { a: "b" },
      platforms: [
        { os: "linux", architecture: "amd64" },
        { os: "linux", architecture: "arm", variant: "v7" },
      ],
      gcPolicy: [
        {
          all: true,
          filters: ["type==x"],
          keepDuration: 1.5,
          reservedSpace: 1,
          maxUsedSpace: 2,
          minFreeSpace: 0,
        },
      ],
      devices: [{ name: "vendor/gpu", autoAllow: true, onDemand: false, annotations: { x: "y" } }],
    });
  });

  it("tells what cannot be known of one, and asks the others all the same", async () => {
    let asked = 0;
    await open(() => {
      if (asked++ === 0) throw new GrpcError(grpcCodes.internal, "the worker is broken");
      return [];
    });
    running();
    const infos = await (await fake.builder()).inspect();
    const said = new Set(infos.map(({ error, version }) => error ?? version));
    expect(said).toEqual(new Set(["the worker is broken", "v0.34.2"]));
    fake.engine.on("GET", `${container(1)}/json`, (call) => call.cut());
    const [first, second] = await (await fake.builder()).inspect();
    expect(first?.error).toBeUndefined();
    expect(second?.error).toMatch(/broke during/);
  });

  it("waits so long and no longer, and ends with the cancel", async () => {
    const abort = new AbortController();
    await open((call) => cancelled(call));
    running();
    const builder = await fake.builder();
    const [first] = await builder.inspect({ milliseconds: 200 });
    expect(first?.error).toMatch(/^asking node b0 at unix:.* did not finish within 0\.2 s/);
    await fake[Symbol.asyncDispose]();
    await open((call) => (abort.abort(), cancelled(call)));
    running();
    await expect((await fake.builder()).inspect({ signal: abort.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
