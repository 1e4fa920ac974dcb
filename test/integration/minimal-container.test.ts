import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, copyFile, mkdir, readdir, rmdir, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { GenericContainer, Wait } from "testcontainers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EngineClient } from "../../src/engine-api/index.js";
import type { ContainerCreateBody } from "../../src/engine-api/wire-container.js";
import { Builder, build, files } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { testCertificates } from "../support/certificates.js";
import { type FakeRegistry, fakeRegistry } from "../support/fake-registry.js";
import { bundle, makeDirectory, removeDirectory, slipway } from "../support/slipway.js";

const run = promisify(execFile);
const checkout = join(import.meta.dirname, "../..");
const { dockerHost, buildxConfig, registry, long } = engineEnv();
let engine: EngineClient;
let dir: string;
/** slipway as a single executable. */
let executable: string;

beforeAll(async () => {
  engine = EngineClient.open({ host: dockerHost });
  dir = await makeDirectory("minimal");
  executable = join(dir, "executable", "slipway");
  const { stdout } = await run(process.execPath, ["scripts/executable.mjs", executable], { cwd: checkout });
  console.log(stdout.trim());
});

afterAll(async () => {
  await slipway(["rm", "minimal"]);
  await slipway(["rm", "places"]);
  await engine.close();
  await removeDirectory(dir);
});

describe("in a minimal image", () => {
  const uid = 1234;
  const megabytes = 1 << 20;
  const ofTheFile = "slipway-minimal:file";
  const images = [
    { of: "node, its libraries and the one file", image: ofTheFile, isExecutable: false },
    { of: "the executable and its libraries", image: "slipway-minimal:executable", isExecutable: true },
  ];
  let user: string;
  let secure: FakeRegistry;

  beforeAll(async () => {
    // The example imports the library.
    if (!existsSync(join(checkout, "dist/lib")))
      await run("npm", ["run", "-s", "build:lib"], { cwd: checkout });
    for (const { image, isExecutable } of images) {
      const args = ["examples/minimal/build-image.mjs", image, ...(isExecutable ? [executable] : [])];
      const { stdout } = await run(process.execPath, args, { cwd: checkout });
      expect(stdout).toContain(`the engine has ${image}`);
    }
    secure = await fakeRegistry({ tls: true });

    const socket = await stat(socketPath());
    const isForGroup = (socket.mode & 0o060) === 0o060;
    if (!isForGroup) console.log("the engine's socket is for its owner alone: slipway runs as that one");
    user = `${isForGroup ? uid : socket.uid}:${socket.gid}`;

    // What the container is given besides the socket: a place for builders, with the config that names the registry.
    const state = join(dir, "state");
    await mkdir(state);
    await copyFile(join(buildxConfig, "buildkitd.default.toml"), join(state, "buildkitd.default.toml"));
    await chown(state, Number(user.split(":")[0]), socket.gid);

    const context = join(dir, "ctx");
    await mkdir(context);
    await writeFile(
      join(context, "Dockerfile"),
      "FROM scratch AS big\nCOPY big /\n\nFROM scratch\nCOPY small /\n",
    );
    await writeFile(join(dir, "ca.pem"), testCertificates.ca);
    await runIn(ofTheFile, ["create", "--name", "inner", "--driver-opt", "network=host", "--use"]);
    // On this machine a registry speaks plain HTTP unless it is said to do otherwise.
    await writeFile(join(state, "secure.toml"), `[registry."${secure.host}"]\nhttp = false\n`);
    await runIn(ofTheFile, ["create", "--name", "secure", "--buildkitd-config", "/state/secure.toml"]);
  }, 240_000);

  afterAll(async () => {
    await runIn(ofTheFile, ["rm", "inner", "secure"]);
    await secure.close();
  });

  const socketPath = () => dockerHost.replace("unix://", "");
  const bind = (from: string, to: string, isReadOnly = true) =>
    ({ Type: "bind", Source: from, Target: to, ReadOnly: isReadOnly }) as const;

  /** Runs slipway in a container: nobody's user in the socket's group, nothing to write to but the builders' directory. */
  async function runIn(image: string, args: string[], changes: Partial<ContainerCreateBody> = {}) {
    const { Id, Warnings } = await engine.containers.create(undefined, {
      Image: image,
      Cmd: args,
      User: user,
      ...changes,
      Env: ["HOME=", "BUILDX_CONFIG=/state", "DOCKER_HOST=unix:///engine.sock", ...(changes.Env ?? [])],
      HostConfig: {
        NetworkMode: "host",
        ReadonlyRootfs: true,
        Mounts: [
          bind(socketPath(), "/engine.sock", false),
          bind(join(dir, "state"), "/state", false),
          bind(join(dir, "ctx"), "/ctx"),
          bind(join(dir, "ca.pem"), "/ca.pem"),
        ],
        ...changes.HostConfig,
      },
    });
    try {
      // An engine that cannot limit memory says so here, and goes on.
      expect((Warnings ?? []).filter((text) => /memory/i.test(text))).toEqual([]);
      await engine.containers.start(Id);
      const { StatusCode: exitCode } = await engine.containers.wait(Id);
      const chunks: Buffer[] = [];
      for await (const { data } of engine.containers.logs(Id, { stdout: true, stderr: true }))
        chunks.push(data);
      return { exitCode, output: Buffer.concat(chunks).toString() };
    } finally {
      await engine.containers.remove(Id, { force: true });
    }
  }

  describe.each(images)("of $of", ({ image, isExecutable }) => {
    const inside = (args: string[], changes?: Partial<ContainerCreateBody>) => runIn(image, args, changes);

    beforeAll(async () => {
      // Not what the image before has sent already.
      await writeFile(join(dir, "ctx", "small"), `from ${image}\n`);
      await writeFile(join(dir, "ctx", "big"), image);
      await truncate(join(dir, "ctx", "big"), (long ? 1024 : 256) * megabytes);
    });

    const buildArgs = (...args: string[]) => ["build", "--progress=plain", ...args, "/ctx"];

    test("it builds and loads by exec, and leaves nothing on the engine's machine", async () => {
      const { exitCode, output } = await inside(buildArgs("--load", "-t", "inner:1"));
      expect(exitCode, output).toBe(0);
      expect((await engine.images.inspect("inner:1")).RepoTags).toContain("inner:1");
      // Nothing of the kind that a non-root client on the engine's own machine makes.
      expect(await readdir("/state").catch(() => [])).toEqual([]);
    });

    test("it pushes", async () => {
      const name = `${registry}/inner/app:1`;
      const { exitCode, output } = await inside(buildArgs("--push", "-t", name));
      expect(exitCode, output).toBe(0);
      const answer = await inside(["imagetools", "inspect", name]);
      expect(answer.output).toContain("Digest:");
    });

    test("odd NODE_OPTIONS are no harm", async () => {
      const { exitCode, output } = await inside(buildArgs("--load", "-t", "inner:odd"), {
        Env: [
          "NODE_OPTIONS=--max-old-space-size=64 --no-warnings --stack-trace-limit=0 --enable-source-maps",
        ],
      });
      expect(exitCode, output).toBe(0);
    });

    test("192 MB are enough for a large upload and a large load", async () => {
      const args = ["--target", "big", "-t", "inner:big", "--output", "type=docker,compression=uncompressed"];
      const { exitCode, output } = await inside(buildArgs(...args), {
        HostConfig: { Memory: 192 * megabytes, MemorySwap: 192 * megabytes },
      });
      expect(exitCode, output).toBe(0);
      expect((await engine.images.inspect("inner:big")).Size).toBeGreaterThanOrEqual(
        (long ? 1024 : 256) * megabytes,
      );
      await engine.images.remove("inner:big");
    }, 240_000);

    test("without git, a build goes on and says what it lacks", async () => {
      await mkdir(join(dir, "ctx", ".git"));
      const { exitCode, output } = await inside(buildArgs());
      await rmdir(join(dir, "ctx", ".git"));
      expect(exitCode, output).toBe(0);
      expect(output).toContain("was not captured by the build: there is no git on PATH");
    });

    test("without ssh, it says that there is none", async () => {
      const args = ["create", "--name", "far", "--bootstrap", "ssh://me@far"];
      const { exitCode, output } = await inside(args);
      expect(exitCode).toBe(1);
      expect(output).toContain(
        "cannot reach the Docker daemon by ssh at far: cannot run ssh: there is no such program on PATH",
      );
      await inside(["rm", "far"]);
    });

    test("without a CA bundle, it says how to name one", async () => {
      const mediaType = "application/vnd.oci.image.index.v1+json";
      secure.addManifest("app", "1", mediaType, { schemaVersion: 2, mediaType, manifests: [] });
      const inspect = ["imagetools", "inspect", "--builder", "secure", `${secure.host}/app:1`];
      const refused = await inside(inspect);
      expect(refused.exitCode).toBe(1);
      expect(refused.output).toMatch(/certificate.*; SSL_CERT_FILE can name a file with the authorities/);
      const { exitCode, output } = await inside(inspect, { Env: ["SSL_CERT_FILE=/ca.pem"] });
      expect(exitCode, output).toBe(0);
    });

    test("without a directory that can be written, it says how to name one", async () => {
      const nowhere = { Env: ["BUILDX_CONFIG="] };
      // A container's engine gives a HOME where there is none; it takes Node by itself to be without.
      const script = "delete process.env.HOME; process.argv.splice(1, 0, ''); import('/slipway.mjs')";
      const homeless = { ...nowhere, Entrypoint: ["/node", "--eval", script] };
      for (const changes of isExecutable ? [nowhere] : [nowhere, homeless]) {
        const { exitCode, output } = await inside(["create", "--name", "nowhere"], changes);
        expect(exitCode).toBe(1);
        expect(output).toMatch(
          /^ERROR: cannot write \/\.docker\/buildx\/.*; BUILDX_CONFIG can name another directory for builders$/m,
        );
      }
      expect((await inside(["ls"], isExecutable ? nowhere : homeless)).output).toContain("default*");
    });
  });
});

test("a test suite pushes to a registry that testcontainers started", async () => {
  const registry = await new GenericContainer("registry:2")
    .withExposedPorts(5000)
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  try {
    const name = `127.0.0.1:${registry.getMappedPort(5000)}/suite/app:1`;
    await Builder.ensure({ name: "places", driverOpts: { network: "host" } });
    const { digest } = await build({
      builder: "places",
      context: files({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "1" }),
      outputs: [{ type: "image", attrs: { push: "true", "registry.insecure": "true", name } }],
    });
    const answer = await fetch(`http://127.0.0.1:${registry.getMappedPort(5000)}/v2/suite/app/manifests/1`, {
      headers: {
        accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json",
      },
    });
    expect(answer.status, await answer.text()).toBe(200);
    expect(answer.headers.get("docker-content-digest")).toBe(digest);
  } finally {
    await registry.stop();
  }
}, 240_000);

describe("the single executable", () => {
  /** Runs a program with next to nothing in its environment. */
  const outcome = (file: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      // The bundled file looks for node.
      const options = { env: { PATH: dirname(process.execPath), ...env } };
      execFile(file, args, options, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });

  test.each([
    "version",
    "--help",
    "build --help",
    "completion zsh",
    "build --no-such-flag",
    "docker-cli-plugin-metadata",
  ])("says what the file says: %s", async (line) => {
    const args = line.split(" ");
    const [said, expected] = await Promise.all([outcome(executable, args), outcome(bundle, args)]);
    expect(said.stdout + said.stderr).not.toBe("");
    // The file may be of an earlier commit.
    const stdout = expected.stdout.replace(
      /\b[0-9a-f]{40}\b/,
      () => said.stdout.match(/\b[0-9a-f]{40}\b/)?.[0] ?? "",
    );
    expect(said).toEqual({ ...expected, stdout });
  });

  test("is docker's plug-in under that name", async () => {
    const plugin = join(dir, "docker-buildx");
    await symlink(executable, plugin);
    const { stdout } = await outcome(plugin, ["buildx", "build", "--help"]);
    expect(stdout).toContain("\n  docker buildx build [OPTIONS] ");
  });

  test("has its code compiled with it, and keeps more of it only for builds", async () => {
    const cache = join(dir, "cache");
    const env = { XDG_CACHE_HOME: cache, BUILDX_CONFIG: join(dir, "no-builders") };
    await outcome(executable, ["ls"], env);
    await expect(readdir(cache)).rejects.toThrow("ENOENT");
    const { code, stderr } = await outcome(executable, ["build", "--builder", "none", dir], env);
    expect([code, stderr]).toEqual([1, expect.stringContaining("none")]);
    expect(await readdir(join(cache, "slipway"))).toEqual([expect.stringContaining("-build-v")]);
  });

  test("has the licences of what it is made of beside it", async () => {
    const files = await readdir(dirname(executable));
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "THIRD-PARTY-NOTICES", "slipway"]));
  });
});
