import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { GenericContainer, Wait } from "testcontainers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineClient } from "../../src/engine-api/index.js";
import { type BuildError, build, connect, files } from "../../src/index.js";
import {
  BuildKitContainer,
  type StartedBuildKitContainer,
  buildImage,
  openImage,
} from "../../src/testcontainers/index.js";
import { engineEnv } from "../support/engine-env.js";
import { install, lend, pack } from "../support/installed-package.js";
import { makeDirectory, removeDirectory } from "../support/slipway.js";

const { dockerHost, registry } = engineEnv();
const run = promisify(execFile);
let engine: EngineClient;
let dir: string;
let shared: StartedBuildKitContainer;

/** The settings that this file and its processes share a daemon by. */
function sharedContainer(): BuildKitContainer {
  return new BuildKitContainer()
    .withRegistryMirror(registry, { http: true })
    .withMemoryLimit("1g")
    .withCpuLimit(1.5)
    .withReuse();
}

beforeAll(async () => {
  engine = EngineClient.open({ host: dockerHost });
  dir = await makeDirectory("testcontainers");
  shared = await sharedContainer().start();
});

afterAll(async () => {
  await shared?.stop({ remove: true });
  await engine.close();
  await removeDirectory(dir);
});

const app = files({
  Dockerfile: 'FROM busybox\nCOPY index.html /www/\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n',
  "index.html": "built by a test\n",
});

test("a build that fails says in its message what a test's author needs, and hangs nothing else on it", async () => {
  const broken = files({ Dockerfile: "FROM busybox\nRUN echo compiling && exit 3\n" });
  const error = await buildImage({ context: broken, builder: shared }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "BUILD_FAILED", step: { exitCode: 3, log: ["compiling"] } });
  expect((error as Error).message).toMatch(/exit code: 3\n\n.*RUN echo.*:\ncompiling\n\nDockerfile:2\n/);
  expect((error as Error).cause).toBeUndefined();
});

test("the engine's own BuildKit builds, too, with nothing started for it", async () => {
  await engine.images.pull("busybox");
  const before = await engine.containers.list({ all: true });
  const image = await buildImage({ context: app, builder: "engine" });
  expect((await engine.images.inspect(image)).RepoTags).toContain(image);
  expect(await buildImage({ context: app, builder: "engine" })).toBe(image);
  expect((await engine.containers.list({ all: true })).length).toBe(before.length);
  await engine.images.remove(image, { force: true });
});

test("an image that a test builds runs as a container, and building it again loads nothing", async () => {
  const image = await buildImage({ context: app, builder: shared });
  const { Id, Created } = await engine.images.inspect(image);
  const started = await new GenericContainer(image)
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  try {
    const answer = await fetch(`http://${started.getHost()}:${started.getMappedPort(8080)}/index.html`);
    expect(await answer.text()).toBe("built by a test\n");
  } finally {
    await started.stop();
  }
  const said: string[] = [];
  const again = await buildImage({
    context: app,
    builder: shared,
    onEvent: (event) => {
      if (event.type === "status") said.push(...event.statuses.map(({ id }) => id));
    },
  });
  expect(again).toBe(image);
  expect(await engine.images.inspect(again)).toMatchObject({ Id, Created });
  expect(said.filter((id) => id.startsWith("loading layer"))).toEqual([]);
});

test("an image that a test only looks at is opened where it was built: nothing is loaded or started", async () => {
  const before = [await engine.images.list(), await engine.containers.list({ all: true })];
  await using image = await openImage({ context: app, builder: shared });
  expect((await image.readFile("/www/index.html")).toString()).toBe("built by a test\n");
  expect((await image.exec(["busybox", "echo", "ran"])).stdout.toString()).toBe("ran\n");
  const after = [await engine.images.list(), await engine.containers.list({ all: true })];
  expect(after.map(({ length }) => length)).toEqual(before.map(({ length }) => length));
  const broken = files({ Dockerfile: "FROM busybox\nRUN echo kept >/kept; exit 3\n" });
  await using failed = (await openImage({ context: broken, builder: shared, onFailure: "keep" }).catch(
    (reason: unknown) => reason,
  )) as BuildError;
  expect(failed.message).toMatch(/exit code: 3\n\n.*Dockerfile:2\n/s);
  expect((await failed.files?.readFile("/kept"))?.toString()).toBe("kept\n");
});

test("limits and the mirror are the daemon's", async () => {
  const { HostConfig } = (await engine.containers.inspect(shared.getId())) as unknown as {
    HostConfig: { Memory: number; NanoCpus: number };
  };
  expect(HostConfig).toMatchObject({ Memory: 2 ** 30, NanoCpus: 1.5e9 });
});

test("two processes that start at once share one daemon, and stop() leaves it to the others", async () => {
  const packed = await pack(dir);
  const project = join(dir, "project");
  await install(packed, project);
  await lend(project, "testcontainers");
  await writeFile(
    join(project, "share.mjs"),
    `import { files } from "slipway";
import { BuildKitContainer, buildImage } from "slipway/testcontainers";
const builder = await new BuildKitContainer()
  .withConfig(${JSON.stringify(`[registry."docker.io"]\nmirrors = ["${registry}"]\n[registry."${registry}"]\nhttp = true\n`)})
  .withReuse()
  .start();
const image = await buildImage({ context: files({ Dockerfile: "FROM busybox\\nRUN date > /now\\n" }), builder });
await builder.stop();
console.log(builder.getId(), image);
`,
  );
  const both = await Promise.all(
    [1, 2].map(() => run(process.execPath, ["share.mjs"], { cwd: project, timeout: 120_000 })),
  );
  const [first, second] = both.map(({ stdout }) => stdout.trim());
  expect(first).toMatch(/^[0-9a-f]{64} slipway-test\/image:[0-9a-f]{12}$/);
  expect(second).toBe(first);
  const [id = ""] = (first ?? "").split(" ");
  expect((await engine.containers.inspect(id)).State.Running).toBe(true);
  await engine.containers.remove(id, { force: true, volumes: true });

  // testcontainers tries docker's default socket as well.
  if (existsSync("/var/run/docker.sock")) return console.log("not tried without an engine: there is one");
  const env = { ...process.env, DOCKER_HOST: "unix:///nowhere.sock" };
  const nowhere = `await (await import("slipway/testcontainers")).buildImage({ context: "." })`;
  await expect(
    run(process.execPath, ["--input-type=module", "-e", nowhere], { cwd: project, env }),
  ).rejects.toMatchObject({
    stderr: expect.stringContaining(
      "testcontainers finds no container engine: is it running, and does DOCKER_HOST lead to it?",
    ),
  });
});

test("a daemon is reached over its port and over its socket", async () => {
  await chmod(dir, 0o755);
  const context = files({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "1" });
  await using byPort = await new BuildKitContainer().withTcp().start();
  expect(byPort.address).toMatch(/^tcp:\/\/[\w.]+:\d+$/);
  await build({ ...(await byPort.target()), context });
  await using bySocket = await new BuildKitContainer().withSocketDirectory(dir).start();
  expect(bySocket.address).toBe(`unix://${join(dir, "buildkitd.sock")}`);
  await using connection = await connect(await bySocket.target());
  await connection.build({ context });
});

test("a daemon that cannot start says why, and leaves no container", async () => {
  const before = (await engine.containers.list({ all: true })).length;
  const failing = new BuildKitContainer().withFlags("--addr", "bad://nowhere").start();
  await expect(failing).rejects.toThrow(/^buildkitd ended with exit code 1 .*bad/s);
  expect(await engine.containers.list({ all: true })).toHaveLength(before);
  await expect(new BuildKitContainer().withConfig("[worker").start()).rejects.toThrow(/invalid TOML/);
  expect(() => new BuildKitContainer().withMemoryLimit("much")).toThrow("invalid size: 'much'");
});
