import { execFile } from "node:child_process";
import { copyFile, mkdir, readdir, realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { GenericContainer, Wait } from "testcontainers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineClient } from "../../src/engine-api/index.js";
import { Builder, build, files } from "../../src/index.js";
import { engineEnv } from "../support/engine-env.js";
import { bundle, makeDirectory, removeDirectory, slipway, succeed } from "../support/slipway.js";

const { dockerHost, buildxConfig } = engineEnv();
const run = promisify(execFile);
let engine: EngineClient;
let dir: string;

beforeAll(async () => {
  engine = EngineClient.open({ host: dockerHost });
  dir = await makeDirectory("minimal");
  await succeed(["create", "--name", "outer", "--driver-opt", "network=host", "--use"]);
});

afterAll(async () => {
  await slipway(["rm", "outer"]);
  await slipway(["rm", "places"]);
  await engine.close();
  await removeDirectory(dir);
});

/** Copies a program and the libraries that it is linked with, at their own paths. */
async function copyProgram(program: string, root: string, as: string): Promise<void> {
  const { stdout } = await run("ldd", [program]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path as string);
  for (const [from, to] of [[program, as], ...libraries.map((path) => [path, path])] as [string, string][]) {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await copyFile(await realpath(from), join(root, to));
  }
}

test("inside a container of node, the one file and the engine's socket, slipway creates, builds, loads and removes by exec", async () => {
  const root = join(dir, "root");
  await copyProgram(process.execPath, root, "/node");
  await copyFile(bundle, join(root, "slipway.mjs"));
  // What the container shares with the testbed: the config that names the registry's mirror.
  await mkdir(join(root, "config"));
  await copyFile(
    join(buildxConfig, "buildkitd.default.toml"),
    join(root, "config", "buildkitd.default.toml"),
  );
  await mkdir(join(root, "ctx"));
  await writeFile(join(root, "ctx", "Dockerfile"), 'FROM busybox\nCOPY f /f\nCMD ["cat", "/f"]\n');
  await writeFile(join(root, "ctx", "f"), "from inside\n");
  await writeFile(
    join(root, "all.mjs"),
    `import { spawnSync } from "node:child_process";
for (const args of [
  ["create", "--name", "inner", "--driver-opt", "network=host", "--use"],
  ["build", "--progress=plain", "--load", "-t", "inner:1", "/ctx"],
  ["rm", "inner"],
]) {
  const { status } = spawnSync("/node", ["/slipway.mjs", ...args], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
`,
  );
  await writeFile(join(dir, "Dockerfile"), "FROM scratch\nCOPY root /\n");
  await succeed(["build", "--load", "-t", "minimal:1", dir]);

  const socket = dockerHost.replace("unix://", "");
  const { Id } = await engine.containers.create(undefined, {
    Image: "minimal:1",
    Cmd: ["/node", "/all.mjs"],
    Env: ["BUILDX_CONFIG=/config", "DOCKER_HOST=unix:///engine.sock"],
    HostConfig: { NetworkMode: "host", Mounts: [{ Type: "bind", Source: socket, Target: "/engine.sock" }] },
  });
  try {
    await engine.containers.start(Id);
    const { StatusCode } = await engine.containers.wait(Id);
    const chunks: Buffer[] = [];
    for await (const { data } of engine.containers.logs(Id, { stdout: true, stderr: true }))
      chunks.push(data);
    const output = Buffer.concat(chunks).toString();
    expect(StatusCode, output).toBe(0);
    expect(output).toContain("inner removed");
  } finally {
    await engine.containers.remove(Id, { force: true });
  }
  expect((await engine.images.inspect("inner:1")).RepoTags).toContain("inner:1");
  // Nothing of the kind that a non-root client on the engine's own machine makes.
  expect(await readdir("/config").catch(() => [])).toEqual([]);
}, 240_000);

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
