import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeBuildkitd } from "../../../test/support/fake-buildkitd.js";
import { FakeEngine } from "../../../test/support/fake-engine.js";
import { control } from "../../buildkit/index.js";
import { EngineClient } from "../../engine-api/index.js";
import { service } from "../../session/index.js";
import { DockerDriver } from "./docker-driver.js";
import { checkDockerSettings } from "./settings.js";

const containerdWorker = {
  Labels: {
    "org.mobyproject.buildkit.worker.snapshotter": "overlayfs",
    "org.mobyproject.buildkit.worker.moby.host-gateway-ip": "172.17.0.1",
  },
};

let workers: object[];
let daemon: FakeBuildkitd;
let engine: FakeEngine | undefined;
let driver: DockerDriver;

beforeEach(() => {
  workers = [];
  daemon = new FakeBuildkitd({
    services: [
      service(control.Control, {
        info: () => ({ buildkitVersion: { version: "v0.34.2" } }),
        listWorkers: () => ({ record: workers }),
      }),
    ],
  });
});
afterEach(async () => {
  await driver.close();
  await daemon[Symbol.asyncDispose]();
  await engine?.close();
  engine = undefined;
});

/** An engine of API 1.41, whose BuildKit is behind `POST /grpc`, unless `script` does something else there. */
async function upgrading(apiVersion = "1.41"): Promise<FakeEngine> {
  engine = await FakeEngine.start({ apiVersion });
  engine.on("POST", "/grpc", async (call) => daemon.serve(await call.hijack()));
  driver = new DockerDriver(EngineClient.open({ host: engine.host }));
  return engine;
}

/** A client of an engine of API 1.53, of which `host` is told. Only its first connection leads there: the others lead to the daemon. */
async function native(host: string): Promise<FakeEngine> {
  engine = await FakeEngine.start({ apiVersion: "1.53" });
  const path = engine.host.replace("unix://", "");
  let dials = 0;
  const dial = () => (dials++ === 0 ? Promise.resolve(connect(path)) : daemon.dial());
  driver = new DockerDriver(EngineClient.open({ host, dial }));
  return engine;
}

describe("the BuildKit of an engine", () => {
  test("before API 1.53 is reached by an upgrade to h2c", async () => {
    const { calls } = await upgrading();
    await using client = await driver.connect();
    expect(await client.info()).toMatchObject({ version: "v0.34.2" });
    expect(calls.find(({ path }) => path === "/grpc")).toMatchObject({
      method: "POST",
      headers: { upgrade: "h2c", connection: "upgrade" },
    });
  });

  test("since API 1.53 is spoken to on the socket itself", async () => {
    const fake = await native("unix:///var/run/docker.sock");
    await using client = await driver.connect();
    expect(await client.info()).toMatchObject({ version: "v0.34.2" });
    expect(fake.callsOf("POST", "/grpc")).toEqual([]);
  });

  test("behind a proxy's prefix is asked for an upgrade, whatever the API", async () => {
    const fake = await native("tcp://127.0.0.1:1/behind");
    for (const method of ["GET", "HEAD"])
      fake.on(method, "/behind/_ping", ({ response }) => {
        response.setHeader("Api-Version", "1.53").end(method === "GET" ? "OK" : undefined);
      });
    fake.on("POST", /grpc$/, async (call) => daemon.serve(await call.hijack()));
    await using client = await driver.connect();
    expect(await client.info()).toMatchObject({ version: "v0.34.2" });
    expect(fake.calls.at(-1)).toMatchObject({ method: "POST", headers: { upgrade: "h2c" } });
  });

  test("which is not there is told with the way out", async () => {
    const fake = await upgrading();
    const words = `the engine at ${fake.host} does not offer a BuildKit of its own`;
    fake.on("POST", "/grpc", (call) => call.refuse(404, "page not found"));
    await expect(driver.connect()).rejects.toMatchObject({
      code: "DRIVER_CONNECT",
      message: expect.stringMatching(
        new RegExp(`^${words} \\(.*page not found\\); .*slipway create --driver docker-container --use$`),
      ) as string,
    });
    fake.on("POST", "/grpc", (call) => call.json({}));
    await expect(driver.dial()).rejects.toMatchObject({
      code: "DRIVER_CONNECT",
      message: expect.stringContaining(words) as string,
      cause: { code: "ENGINE_UPGRADE_REFUSED" },
    });
  });

  test("which breaks the connection is no engine without BuildKit", async () => {
    const fake = await upgrading();
    fake.on("POST", "/grpc", (call) => call.cut());
    await expect(driver.connect()).rejects.toMatchObject({ code: "ENGINE_CONNECTION_LOST" });
  });

  test("which takes the upgrade and hangs up is lost, and leaves nothing open", async () => {
    const fake = await upgrading();
    fake.on("POST", "/grpc", async (call) => void (await call.hijack()).destroy());
    await expect(driver.connect()).rejects.toThrow();
    await driver.close();
    await fake.idle();
  });

  test.each(["/_ping", "/grpc"])("which does not answer to %s is given up by the signal", async (path) => {
    const fake = await upgrading();
    const controller = new AbortController();
    for (const method of ["GET", "HEAD", "POST"])
      fake.on(method, path, () => controller.abort(new Error("not wanted any more")));
    await expect(driver.connect({ signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(fake.calls.at(-1)?.path).toBe(path);
  });

  test("which does not answer on the upgraded connection is given up by the signal", async () => {
    const fake = await upgrading();
    const controller = new AbortController();
    fake.on("POST", "/grpc", async (call) => {
      (await call.hijack()).resume();
      controller.abort(new Error("not wanted any more"));
    });
    await expect(driver.connect({ signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
    await driver.close();
    await fake.idle();
  });
});

describe("diagnose", () => {
  const diagnose = (signal?: AbortSignal) => driver.diagnose(signal ? { signal } : {});

  test("says nothing of an engine that answers", async () => {
    await upgrading();
    expect(await diagnose()).toBeUndefined();
    expect(await driver.status()).toBe("running");
  });

  test("names an engine that is gone", async () => {
    const fake = await upgrading();
    await fake.close();
    expect(await diagnose()).toContain(`the engine at ${fake.host} does not answer: `);
    await expect(driver.status()).rejects.toMatchObject({ code: "ENGINE_CONNECT" });
    expect(await diagnose(AbortSignal.abort())).toBeUndefined();
    await driver.close();
    expect(await diagnose()).toBeUndefined();
  });
});

describe("what the engine's workers tell", () => {
  const features = async () => {
    await using client = await driver.connect();
    return await driver.nodeFeatures(client);
  };

  test("with the classic store is little", async () => {
    await upgrading("1.42");
    workers = [{ Labels: {} }];
    expect(await features()).toEqual({
      ociExporter: false,
      dockerExporter: false,
      cacheExport: false,
      multiPlatform: false,
      directPush: false,
      preferImageDigest: false,
    });
  });

  test("is not asked of an engine that can have the classic store alone", async () => {
    await upgrading("1.41");
    workers = [containerdWorker];
    expect(await features()).toMatchObject({ multiPlatform: false, ociExporter: false });
  });

  test("with the containerd store is all, and the address of the host", async () => {
    await upgrading("1.42");
    workers = [containerdWorker];
    expect(await features()).toMatchObject({
      multiPlatform: true,
      directPush: true,
      preferImageDigest: true,
      hostGateway: "172.17.0.1",
    });
  });

  test.each(["", "nonsense", "1.2.3.4,evil=5.6.7.8"])(
    "is not believed when the address is %j",
    async (ip) => {
      await upgrading("1.42");
      workers = [{ Labels: { "org.mobyproject.buildkit.worker.moby.host-gateway-ip": ip } }];
      expect(await features()).not.toHaveProperty("hostGateway");
    },
  );
});

test.each([
  ["18.09.1", "v0.4+unknown"],
  ["20.10.24", "v0.8+unknown"],
  ["23.0.6", "v0.10+unknown"],
  ["29.1.0-moby", "29.1.0"],
])("engine %s has BuildKit %s", async (Version, buildkit) => {
  const fake = await upgrading();
  fake.on("GET", "/version", (call) => call.json({ Version }));
  expect(await driver.version()).toBe(buildkit);
});

test("there is nothing to stop, to remove or to configure", async () => {
  const fake = await upgrading();
  await driver.stop();
  await driver.remove();
  expect(fake.calls).toEqual([]);
  const settings = { endpoint: "default", driverOpts: {}, flags: [] };
  expect(() => checkDockerSettings({ ...settings, files: new Map() })).not.toThrow();
  expect(() =>
    checkDockerSettings({ ...settings, files: new Map([["buildkitd.toml", Buffer.alloc(0)]]) }),
  ).toThrow(expect.objectContaining({ code: "DRIVER_OPTION" }));
});
