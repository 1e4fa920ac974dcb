import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { type Server, connect, createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { testCertificates } from "../../../test/support/certificates.js";
import { answersInfo } from "../../../test/support/fake-builder.js";
import { FakeBuildkitd } from "../../../test/support/fake-buildkitd.js";
import { loadDockerConfig } from "../../config/index.js";
import type { BuildEvent } from "../../core/index.js";
import { EngineError } from "../../engine-api/index.js";
import { GrpcError, grpcCodes } from "../../http2/index.js";
import { control } from "../../buildkit/index.js";
import { service } from "../../session/index.js";
import { parseDaemonAddress } from "./address.js";
import { openAddress } from "./open-address.js";
import { DriverError } from "../driver-error.js";
import { checkRemoteSettings, parseRemoteOptions } from "./options.js";
import { type RemoteDriver, openRemote, openTarget } from "./remote-driver.js";
import { readTlsFiles } from "./tls-files.js";

let dir: string;
let daemon: FakeBuildkitd;
const opened: (RemoteDriver | Server)[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "slipway-remote-"));
  daemon = new FakeBuildkitd({ services: [answersInfo()] });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const one of opened.splice(0)) await one.close();
  await daemon[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

const context = { env: {}, dockerConfig: await loadDockerConfig({ DOCKER_CONFIG: "/nowhere" }) };

/** The driver of a node with this endpoint. */
async function node(endpoint: string, driverOpts: Record<string, string> = {}): Promise<RemoteDriver> {
  const settings = { driverOpts, flags: [], files: new Map() };
  const driver = await openRemote({ endpoint, driver: "remote", nodeName: "n0", ...settings, ...context });
  opened.push(driver);
  return driver;
}

const socketPath = () => join(dir, "buildkitd.sock");

/** Somebody listens at the socket from now on. */
async function listens(serve = (socket: Parameters<FakeBuildkitd["serve"]>[0]) => daemon.serve(socket)) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  opened.push(server);
  await once(server.listen(socketPath()), "listening");
}

const steps = (events: readonly BuildEvent[]) =>
  events.flatMap((event) => (event.type === "status" ? event.vertexes : []));

describe("a daemon by its socket", () => {
  test("is running, answers, and is left alone", async () => {
    await listens();
    const driver = await node(`unix://${socketPath()}`, { "default-load": "true" });
    expect(driver.features).toEqual({ defaultLoad: true, engineStore: false, ownsDaemon: false });
    expect(await driver.status()).toBe("running");
    await using client = await driver.connect();
    expect(await client.info()).toMatchObject({ version: "v0.34.2" });
    (await driver.dial()).destroy();
    expect(await driver.nodeFeatures()).toMatchObject({ multiPlatform: true });
    expect(await driver.version()).toBe("");
    await driver.stop();
    await driver.remove();
    expect(await driver.diagnose()).toBeUndefined();
  });

  test("that is not there yet is waited for, and the reason is told", async () => {
    const driver = await node(`unix://${socketPath()}`);
    expect(await driver.status()).toBe("inactive");
    const events: BuildEvent[] = [];
    let listening: Promise<void> | undefined;
    await using client = await driver.connect({
      sink(event) {
        events.push(event);
        listening ??= listens();
      },
    });
    expect(await client.info()).toMatchObject({ version: "v0.34.2" });
    expect(steps(events).map(({ name }) => name)).toContain("[internal] waiting for connection");
    const [log] = events.flatMap((event) => (event.type === "status" ? event.logs : []));
    expect(Buffer.from(log?.data ?? []).toString()).toMatch(/^cannot connect to buildkitd at unix:.*ENOENT/);
  });

  test.each([
    new EngineError(
      "ENGINE_EXEC",
      "exited with code 1: dial unix /b.sock: connect: no such file or directory",
    ),
    new DriverError(
      "DRIVER_CONNECT",
      "pod p exited with code 1: dial unix /b.sock: connect: connection refused",
    ),
  ])("that does not listen yet in its container is waited for: $message", async (error) => {
    await listens();
    let attempts = 0;
    const dial = async () => {
      if (++attempts === 1) throw error;
      return connect(socketPath());
    };
    const driver = await openTarget({ dial });
    opened.push(driver);
    await using client = await driver.connect();
    expect(await client.info()).toMatchObject({ version: "v0.34.2" });
  });

  test("that never comes ends the waiting with the last reason", async () => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
    const driver = await node(`unix://${socketPath()}`);
    const events: BuildEvent[] = [];
    const connecting = driver.connect({ sink: (event) => void events.push(event) }).catch((error) => error);
    const over = new AbortController();
    void connecting.then(() => over.abort());
    while (!over.signal.aborted) {
      await new Promise(setImmediate);
      // A pause at a time: a try in between takes its turns of the loop.
      if (events.length > 0) vi.advanceTimersByTime(250);
    }
    expect(await connecting).toMatchObject({
      code: "DRIVER_CONNECT",
      message: expect.stringContaining("ENOENT") as string,
    });
    expect(steps(events).at(-1)?.error).toContain("ENOENT");
  });

  test("is not waited for where nothing is to be booted", async () => {
    const driver = await node(`unix://${socketPath()}`);
    const events: BuildEvent[] = [];
    const sink = (event: BuildEvent) => void events.push(event);
    await expect(driver.connect({ boot: false, sink })).rejects.toMatchObject({ code: "DRIVER_CONNECT" });
    expect(events).toEqual([]);
  });

  test("is not waited for any more after a cancel", async () => {
    const driver = await node(`unix://${socketPath()}`);
    const controller = new AbortController();
    const events: BuildEvent[] = [];
    const sink = (event: BuildEvent) => {
      events.push(event);
      controller.abort(new Error("not wanted any more"));
    };
    const { signal } = controller;
    await expect(driver.connect({ sink, signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(steps(events).at(-1)?.completed).toBeDefined();
    await expect(driver.status({ signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(await driver.diagnose({ signal })).toBeUndefined();
  });

  test("that takes the connection and says nothing is given up by the signal", async () => {
    const controller = new AbortController();
    await listens((socket) => {
      socket.resume();
      controller.abort(new Error("not wanted any more"));
    });
    const driver = await node(`unix://${socketPath()}`);
    await expect(driver.connect({ signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("that hangs up is an error at once, with the address", async () => {
    await listens((socket) => void socket.destroy());
    const driver = await node(`unix://${socketPath()}`);
    await expect(driver.connect()).rejects.toMatchObject({
      code: "DRIVER_CONNECT",
      message: expect.stringContaining(`cannot connect to buildkitd at unix://${socketPath()}: `) as string,
    });
    expect(await driver.diagnose()).toContain(`buildkitd at unix://${socketPath()} is gone: `);
  });

  test("that refuses the first call is an error at once", async () => {
    await daemon[Symbol.asyncDispose]();
    const info = () => {
      throw new GrpcError(grpcCodes.permissionDenied, "not you");
    };
    daemon = new FakeBuildkitd({ services: [service(control.Control, { info })] });
    await listens();
    const driver = await node(`unix://${socketPath()}`);
    await expect(driver.connect()).rejects.toThrow(/cannot connect to buildkitd at unix:.*not you/);
  });
});

test("a way of dialling that is the caller's own fails with the caller's error", async () => {
  const broken = await openTarget({ dial: () => Promise.reject(new Error("no tunnel")) });
  await expect(broken.connect()).rejects.toThrow(/^no tunnel$/);
  expect(await broken.diagnose()).toBe("the daemon is gone: no tunnel");
  await broken.close();
  const whole = await openTarget({ dial: daemon.dial });
  await using client = await whole.connect();
  expect(await client.info()).toMatchObject({ version: "v0.34.2" });
});

describe("a daemon with TLS", () => {
  const files = (names: Record<string, string>) =>
    Object.fromEntries(Object.entries(names).map(([option, name]) => [option, join(dir, name)]));

  test("is checked against the authority's file, which is read at each connection", async () => {
    const { ca, cert, key } = testCertificates;
    const server = createTlsServer({ cert, key, ALPNProtocols: ["h2"] }, (socket) => {
      socket.on("error", () => {});
      daemon.serve(socket);
    });
    opened.push(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as { port: number };
    const driver = await node(`tcp://127.0.0.1:${port}`, files({ cacert: "ca.pem" }));
    // Not a reason to wait: no daemon that comes will cure it.
    await expect(driver.connect()).rejects.toThrow(/could not read ca certificate .*ca\.pem: no such file/);
    await writeFile(join(dir, "ca.pem"), ca);
    await using client = await driver.connect();
    expect(await client.info()).toMatchObject({ version: "v0.34.2" });
    const other = await node(`tcp://127.0.0.1:${port}`, {
      ...files({ cacert: "ca.pem" }),
      servername: "elsewhere",
    });
    await expect(other.connect()).rejects.toThrow(/cannot connect to buildkitd at tcp:.*elsewhere/);
    await expect(other.status()).rejects.toMatchObject({ code: "DRIVER_CONNECT" });
  });

  test.each(["a directory", "a pipe", "a link to itself", "no PEM", "nothing", "too much", "missing"])(
    "is not connected to when the file of a certificate is %s",
    async (kind) => {
      const cacert = join(dir, "ca.pem");
      if (kind === "a directory") await mkdir(cacert);
      if (kind === "a pipe") execFileSync("mkfifo", [cacert]);
      if (kind === "a link to itself") await symlink(cacert, cacert);
      if (kind === "no PEM") await writeFile(cacert, Buffer.from([0x30, 0x82, 0x01]));
      if (kind === "nothing") await writeFile(cacert, "");
      if (kind === "too much") await writeFile(cacert, Buffer.alloc((4 << 20) + 1));
      await expect(readTlsFiles({ cacert })).rejects.toMatchObject({
        code: "DRIVER_OPTION",
        message: expect.stringContaining(cacert) as string,
      });
    },
  );

  test.each(["cert", "key"])("nor when that of its %s is none", async (name) => {
    for (const [file, text] of Object.entries(testCertificates)) await writeFile(join(dir, file), text);
    await writeFile(join(dir, name), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    const given = { cacert: join(dir, "ca"), cert: join(dir, "cert"), key: join(dir, "key") };
    await expect(readTlsFiles(given)).rejects.toMatchObject({
      code: "DRIVER_OPTION",
      message: expect.stringContaining(`${join(dir, name)} cannot be used: `) as string,
    });
  });

  test("takes all of its files", async () => {
    for (const [name, text] of Object.entries(testCertificates)) await writeFile(join(dir, name), text);
    const given = { cacert: join(dir, "ca"), cert: join(dir, "cert"), key: join(dir, "key") };
    expect(await readTlsFiles({ ...given, servername: "" })).toEqual(testCertificates);
    expect(await readTlsFiles({ ...given, servername: "x" })).toMatchObject({ servername: "x" });
  });
});

describe("options of a remote node", () => {
  test.each([
    [{ "default-load": "maybe" }, "default-load: not a boolean"],
    [{ cacert: "ca.pem" }, "non-absolute path 'ca.pem' provided for cacert"],
    [{ cert: "/c" }, "missing keys cacert, key"],
    [{ cacert: "/ca", key: "/k" }, "missing keys cert"],
    [{ servername: "x" }, "missing keys cacert"],
    [{ cacret: "/x" }, "did you mean cacert?; its options are cacert, cert, key, servername, default-load"],
    [{ image: "x" }, "invalid driver option image for remote driver"],
    [{ toString: "x" }, "invalid driver option toString"],
  ])("%j are refused", (driverOpts, reason) => {
    expect(() => parseRemoteOptions(driverOpts as Record<string, string>)).toThrow(
      expect.objectContaining({ code: "DRIVER_OPTION", message: expect.stringContaining(reason) as string }),
    );
  });

  test("are settings that the daemon's owner has not got to himself", () => {
    const settings = { endpoint: "tcp://h:1", driverOpts: {}, flags: [], files: new Map() };
    expect(() => checkRemoteSettings(settings)).not.toThrow();
    expect(() => checkRemoteSettings({ ...settings, driverOpts: { cacert: "/ca" } })).not.toThrow();
    const file = new Map([["buildkitd.toml", Buffer.alloc(0)]]);
    expect(() => checkRemoteSettings({ ...settings, files: file })).toThrow("config file");
    expect(() => checkRemoteSettings({ ...settings, flags: ["--debug"] })).toThrow("buildkit flags");
    expect(() =>
      checkRemoteSettings({ ...settings, endpoint: "unix:///s", driverOpts: { cacert: "/ca" } }),
    ).toThrow("TLS is only spoken with a tcp:// address, not with unix:///s");
  });
});

describe("addresses", () => {
  test.each([
    ["unix:///run/b.sock", { scheme: "unix", path: "/run/b.sock" }],
    ["npipe:////./pipe/b", { scheme: "npipe", path: "\\\\.\\pipe\\b" }],
    ["tcp://[::1]:1234", { scheme: "tcp", host: "::1", port: 1234 }],
    ["ssh://me@host/s", { scheme: "ssh" }],
    ["docker-container://b?context=c", { scheme: "container", container: "b", context: "c" }],
    [
      "kube-pod://p?namespace=n&container=c&context=me@x",
      { scheme: "kube-pod", pod: "p", namespace: "n", container: "c", context: "me@x" },
    ],
    ["kube-pod://p/?context=", { scheme: "kube-pod", pod: "p" }],
    ["podman-container://b", { scheme: "container", container: "b" }],
  ])("%s", (address, parsed) => {
    expect(parseDaemonAddress(address)).toEqual(parsed);
  });

  test.each([
    ["unix://relative", "invalid address"],
    ["unix:///a\0b", "invalid address"],
    ["npipe:///b", "invalid address"],
    ["tcp://host", "invalid address"],
    ["tcp://host:99999", "invalid address"],
    ["tcp://me@host:1", "invalid address"],
    ["tcp://host:1/path", "invalid address"],
    ["tcp://host:1?x", "invalid address"],
    ["docker-container://-x", "the container's name is malformed"],
    ["docker-container://x?pod=y", 'unknown parameter "pod"'],
    ["kube-pod://X", "the pod's name is malformed"],
    ["kube-pod://x?namespace=-", "the namespace's name is malformed"],
    ["kube-pod://x?pod=y", 'unknown parameter "pod"'],
    ["http://x", "unrecognized url scheme http, expecting"],
    ["nonsense", 'unrecognized url scheme "nonsense", expecting'],
    ["", 'unrecognized url scheme "", expecting'],
  ])("%j is refused", (address, reason) => {
    expect(() => parseDaemonAddress(address)).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(reason) as string,
      }),
    );
  });

  test("TLS with anything but tcp is refused, and so is a context that is not there", async () => {
    const readTls = () => Promise.resolve({});
    for (const address of ["unix:///s", "ssh://h", "docker-container://b"])
      await expect(openAddress(address, { ...context, readTls })).rejects.toThrow("tls is for addresses");
    await expect(openAddress("docker-container://b?context=gone", context)).rejects.toMatchObject({
      code: "CONTEXT_NOT_FOUND",
    });
  });
});
