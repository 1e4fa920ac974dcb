import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EngineClient } from "../../src/engine-api/index.js";
import { testCertificates } from "../support/certificates.js";
import { engineEnv } from "../support/engine-env.js";
import { PrivateEngine } from "../support/private-engine.js";
import { makeDirectory, removeDirectory } from "../support/slipway.js";
import { SshServer, freePort } from "../support/ssh-server.js";
import { Workplace } from "../support/workplace.js";

/** Engines that are reached by ssh, tcp and TLS: the whole way, and what is said when there is none. */
const { dockerHost } = engineEnv();
type Env = Record<string, string | undefined>;
const dockerfile = 'FROM busybox\nCOPY greeting /\nCMD ["cat", "/greeting"]\n';

/** Command lines of the processes that have this text in them. */
async function processes(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line.includes(text)) found.push(line.replaceAll("\0", " "));
  }
  return found;
}

/** Creates a builder on the engine that the environment names. */
async function create(place: Workplace, env: Env, name: string): Promise<string> {
  const builder = `${place.id}-${name}`;
  await place.succeed(["create", "--name", builder, "--driver-opt", "network=host"], { env });
  return builder;
}

/** Creates a builder, builds with an upload, loads and exports, and removes the builder. */
async function worksAllTheWay(place: Workplace, env: Env, name: string): Promise<void> {
  const builder = await create(place, env, name);
  const dir = await place.context({
    Dockerfile: dockerfile,
    greeting: "ahoy\n",
    large: Buffer.alloc(5 << 20),
  });
  const out = path.join(await place.context({}), "out");
  const tag = `${place.id}:${name}`;
  await place.succeed(["build", "--builder", builder, "--load", "-t", tag, "-o", out, dir], { env });
  expect(await readFile(path.join(out, "greeting"), "utf8")).toBe("ahoy\n");
  expect((await place.engine.images.inspect(tag)).RepoTags).toContain(tag);
  await place.engine.images.remove(tag, { force: true });
  await place.succeed(["rm", builder], { env });
  await expect(place.engine.containers.inspect(place.container(builder))).rejects.toMatchObject({
    status: 404,
  });
}

/** Builds with the engine's own BuildKit, into its store. */
async function buildsByItself(place: Workplace, env: Env, engine: EngineClient): Promise<void> {
  const dir = await place.context({
    Dockerfile: "FROM scratch\nCOPY large /\n",
    large: Buffer.alloc(1 << 20),
  });
  const tag = `${place.id}:own`;
  await place.succeed(["build", "-t", tag, dir], { env });
  expect((await engine.images.inspect(tag)).RepoTags).toContain(tag);
  await engine.images.remove(tag, { force: true });
}

/** The command fails with this text, and without anything that only a programmer understands. */
async function failsWith(place: Workplace, env: Env, text: string | RegExp): Promise<void> {
  const dir = await place.context({ Dockerfile: dockerfile, greeting: "", "out.tar": "from before" });
  const name = `${place.id}-bad`;
  // It is noticed when the builder is created, or else when it is used.
  const created = await place.run(["create", "--name", name], { env });
  const flags = ["--builder", name, "-o", `type=tar,dest=${dir}/out.tar`];
  const failed = created.exitCode === 0 ? await place.run(["build", ...flags, dir], { env }) : created;
  await place.run(["rm", "--force", name], { env });
  expect(failed.exitCode, failed.stderr).toBe(1);
  expect(failed.stderr).toMatch(/^ERROR: /m);
  expect(failed.stderr).toMatch(text);
  expect(failed.stderr).not.toMatch(/^\s+at /m);
  expect(await readFile(path.join(dir, "out.tar"), "utf8")).toBe("from before");
}

const { obstacle } = SshServer;
if (obstacle !== undefined) console.warn(`engines over ssh are not tested: ${obstacle}`);

describe.skipIf(obstacle !== undefined)("an engine over ssh", () => {
  let server: SshServer;
  let place: Workplace;
  let env: Env;

  beforeAll(async () => {
    server = await SshServer.start();
    place = await Workplace.open("ssh");
    env = {
      DOCKER_HOST: `ssh://${server.authority}${dockerHost.replace("unix://", "")}`,
      PATH: server.path,
    };
  });

  afterAll(async () => {
    await place.close();
    await server.close();
  });

  /** The client's processes name the server's directory, the other side's the command that they run. */
  async function nothingIsLeft() {
    for (const text of [server.dir, "dial-stdio"])
      await expect
        .poll(async () => (await processes(text)).filter((line) => !line.includes("/usr/sbin/sshd -D")), {
          timeout: 60_000,
        })
        .toEqual([]);
  }

  it.each(["auto", "exec"])("creates, builds, loads, exports and removes, connect=%s", async (connect) => {
    await worksAllTheWay(place, { ...env, SLIPWAY_CONNECT: connect }, connect);
    await nothingIsLeft();
  });

  it("builds with the engine's own BuildKit", async () => {
    await buildsByItself(place, env, place.engine);
    await nothingIsLeft();
  });

  it("FLT-35 a cancelled build leaves neither its step nor an ssh", async () => {
    const execEnv = { ...env, SLIPWAY_CONNECT: "exec" };
    const builder = await create(place, env, "cancel");
    const dir = await place.context({ Dockerfile: "FROM busybox\nRUN echo begun && sleep 424242\n" });
    const running = place.start(["build", "--builder", builder, "--progress", "plain", dir], {
      env: execEnv,
    });
    await running.said(/ begun$/m);
    running.child.kill("SIGINT");
    const { exitCode, stderr } = await running.result;
    expect(exitCode, stderr).toBe(130);
    await expect.poll(() => place.processes(builder, "sleep 424242"), { timeout: 60_000 }).toEqual([]);
    await nothingIsLeft();
  });

  it("a key that the host does not know is told of", async () => {
    await server.useKey("stranger");
    try {
      await failsWith(
        place,
        env,
        /cannot reach the Docker daemon by ssh at 127\.0\.0\.1: .*Permission denied/s,
      );
    } finally {
      await server.useKey("user");
    }
    await nothingIsLeft();
  });

  it("a host with another key than the known one is told of", async () => {
    await server.useKey("user", "stranger");
    try {
      await failsWith(place, env, /by ssh at 127\.0\.0\.1: .*Host key verification failed/s);
    } finally {
      await server.useKey("user");
    }
  });

  it("a host that is down is told of", async () => {
    const down = { ...env, DOCKER_HOST: `ssh://root@127.0.0.1:${await freePort()}` };
    await failsWith(place, down, /by ssh at 127\.0\.0\.1: .*Connection refused/s);
  });

  it("an engine that is not there on the host is told of", async () => {
    const absent = { ...env, DOCKER_HOST: `ssh://${server.authority}/nowhere/docker.sock` };
    await failsWith(place, absent, /\/nowhere\/docker\.sock/);
    await nothingIsLeft();
  });
});

describe("an engine over tcp", () => {
  let place: Workplace;
  let proxy: net.Server;
  let host: string;

  beforeAll(async () => {
    place = await Workplace.open("tcp");
    proxy = net.createServer({ allowHalfOpen: true }, (client) => {
      const engine = net.connect({ path: dockerHost.replace("unix://", ""), allowHalfOpen: true });
      client.pipe(engine).pipe(client);
      client.on("error", () => engine.destroy());
      engine.on("error", () => client.destroy());
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    host = `tcp://127.0.0.1:${(proxy.address() as net.AddressInfo).port}`;
  });

  afterAll(async () => {
    await place.close();
    proxy.close();
  });

  it.each(["auto", "exec"])("creates, builds, loads, exports and removes, connect=%s", async (connect) => {
    await worksAllTheWay(place, { DOCKER_HOST: host, SLIPWAY_CONNECT: connect }, connect);
  });

  it("an engine that is down is told of", async () => {
    const down = `tcp://127.0.0.1:${await freePort()}`;
    await failsWith(place, { DOCKER_HOST: down }, `cannot connect to the Docker daemon at ${down}`);
  });
});

describe.runIf(PrivateEngine.isPossible)("SEC-36 an engine over TLS", () => {
  let engine: PrivateEngine;
  let place: Workplace;
  let host: string;
  let certificates: string;

  beforeAll(async () => {
    certificates = await makeDirectory("certificates");
    for (const [name, text] of Object.entries(testCertificates))
      await writeFile(path.join(certificates, `${name}.pem`), text, { mode: 0o600 });
    host = `tcp://127.0.0.1:${await freePort()}`;
    engine = await PrivateEngine.start({
      hosts: [host],
      tlsverify: true,
      tlscacert: path.join(certificates, "ca.pem"),
      tlscert: path.join(certificates, "cert.pem"),
      tlskey: path.join(certificates, "key.pem"),
    });
    place = await Workplace.open("tls", { dockerHost: engine.host });
  });

  afterAll(async () => {
    await place.close();
    await engine.close();
    await removeDirectory(certificates);
  });

  /** Makes a docker context with these TLS files, and gives the environment that chooses it. */
  async function context(name: string, files: Readonly<Record<string, string>>): Promise<Env> {
    const id = createHash("sha256").update(name).digest("hex");
    const meta = place.path("docker", "contexts", "meta", id);
    const tls = place.path("docker", "contexts", "tls", id, "docker");
    for (const dir of [meta, tls]) await mkdir(dir, { recursive: true });
    const endpoints = { docker: { Host: host, SkipTLSVerify: false } };
    await writeFile(
      path.join(meta, "meta.json"),
      JSON.stringify({ Name: name, Metadata: {}, Endpoints: endpoints }),
    );
    for (const [file, text] of Object.entries(files)) await writeFile(path.join(tls, `${file}.pem`), text);
    return { DOCKER_HOST: undefined, DOCKER_CONTEXT: name };
  }

  it("creates, builds, loads, exports and removes", async () => {
    await worksAllTheWay(place, await context("secure", testCertificates), "tls");
  });

  it("builds with the engine's own BuildKit", async () => {
    await buildsByItself(place, await context("own", testCertificates), place.engine);
  });

  it("a certificate of another authority is refused", async () => {
    const env = await context("other", { ...testCertificates, ca: otherAuthority() });
    await failsWith(place, env, /cannot connect to .*tcp:\/\/127.*certificate/s);
  });

  it("a client without a certificate is refused", async () => {
    const env = await context("none", { ca: testCertificates.ca });
    await failsWith(place, env, /tcp:\/\/127.*gave no answer; it may want a client certificate/);
  });

  it("a client that does not speak TLS is told so", async () => {
    await failsWith(
      place,
      { DOCKER_HOST: host },
      `the Docker daemon at ${host} takes TLS only: set DOCKER_HOST=`,
    );
  });

  it("a builder whose certificates the environment named needs them there again, and says so", async () => {
    const env = { DOCKER_HOST: host, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates };
    const name = `${place.id}-environment`;
    await place.succeed(["create", "--name", name, host], { env });
    const dir = await place.context({ Dockerfile: "FROM scratch\n" });
    const { exitCode, stderr } = await place.run(["build", "--builder", name, dir]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`the Docker daemon at ${host} takes TLS only: set DOCKER_HOST=${host}`);
    await place.succeed(["inspect", name], { env });
    await place.succeed(["rm", name], { env });
  });
});

/** The certificate of an authority that has signed nothing. */
function otherAuthority(): string {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "/dev/null"];
  const request = ["req", "-x509", ...key, "-subj", "/CN=another authority"];
  return execFileSync("openssl", request, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}
