import { execFile } from "node:child_process";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { bundle } from "../support/slipway.js";
import { Workplace, eventually } from "../support/workplace.js";

const { compose, buildx } = engineEnv();
if (!compose)
  console.log("docker compose is not tested: not in the cache; testbed/with --compose true builds it");

const project = `
services:
  base:
    image: \${PROJECT}-base
    build:
      context: .
      dockerfile_inline: |
        FROM busybox
        ARG WHO
        RUN echo hello $$WHO >/greeting
      args: {WHO: "wo\${UNSET:-r}ld"}
      shm_size: 64m
      ulimits: {nofile: 100}
      extra_hosts: ["h:1.2.3.4"]
  web.app:
    image: \${PROJECT}-web
    build:
      context: web
      additional_contexts: {base: "service:base"}
      secrets: [token]
      labels: {who: compose}
    command: cat /greeting /length
    depends_on: [base]
  bad:
    build: bad
  endless:
    build:
      context: .
      dockerfile_inline: |
        FROM busybox
        RUN echo begun && sleep 6161
secrets:
  token: {environment: TOKEN}
`;

interface Said {
  exitCode: number | null;
  all: string;
}

/** `docker compose build` hands a definition to the plug-in `docker-buildx` and reads what it says of its progress. */
describe.skipIf(!compose)("as what docker compose builds with", () => {
  let place: Workplace;
  let builder: string;
  let plugin: string;

  beforeAll(async () => {
    place = await Workplace.open("compose");
    await mkdir(place.path("docker", "cli-plugins"));
    plugin = place.path("docker", "cli-plugins", "docker-buildx");
    for (const name of ["web", "bad"]) await mkdir(place.path(name));
    await writeFile(place.path("compose.yaml"), project);
    await writeFile(place.path("web", "file"), "x");
    const secret = "RUN --mount=type=secret,id=token wc -c </run/secrets/token >/length";
    await writeFile(place.path("web", "Dockerfile"), `FROM base\nCOPY file /\n${secret}\n`);
    await writeFile(place.path("bad", "Dockerfile"), "FROM busybox\nCOPY missing /\n");
    builder = await place.builder("one", "--driver-opt", "network=host", "--use", "--bootstrap");
  });
  afterAll(() => place?.close());
  beforeEach(() => use(bundle));

  async function use(program: string): Promise<void> {
    await rm(plugin, { force: true });
    await symlink(program, plugin);
  }

  const env = () => ({ ...process.env, ...place.env, TOKEN: "secret-token", PROJECT: place.id });

  /** Runs Compose's command, whose standard output and error are one text. */
  function run(...args: string[]): Promise<Said> {
    return new Promise((resolve) => {
      const child = execFile(
        compose as string,
        args,
        { cwd: place.dir, env: env() },
        (_error, stdout, stderr) => resolve({ exitCode: child.exitCode, all: stdout + stderr }),
      );
      child.stdin?.end();
    });
  }

  const configOf = async (name: string) => (await place.engine.images.inspect(`${place.id}-${name}`)).Config;
  const remove = async () => {
    for (const name of ["base", "web"])
      await place.engine.images.remove(`${place.id}-${name}`, { force: true });
  };

  test("builds services on one another, as with buildx", async () => {
    const made: unknown[] = [];
    for (const program of [buildx as string, bundle]) {
      await use(program);
      const { exitCode, all } = await run("build", "base", "web.app");
      expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
      expect(all).toContain("[web_app] exporting to docker image format");
      for (const name of ["base", "web"]) expect(all).toMatch(new RegExp(`${place.id}-${name} +Built`));
      const { Cmd, Env, Labels } = (await configOf("web")) ?? {};
      made.push({ Cmd, Env, Labels });
      if (program !== bundle) await remove();
    }
    expect(made[1]).toEqual(made[0]);
    expect(made[1]).toMatchObject({ Labels: { who: "compose" } });
  }, 120_000);

  test("up builds what it starts", async () => {
    await remove();
    const { exitCode, all } = await run(
      "up",
      "--build",
      "--no-color",
      "--exit-code-from",
      "web.app",
      "base",
      "web.app",
    );
    expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
    expect(all).toContain("hello world");
    expect(all).toMatch(/\b12\b/);
    await run("down");
    await remove();
  }, 120_000);

  test("is quiet, checks, and takes other builders", async () => {
    expect(await run("build", "-q", "base")).toMatchObject({ exitCode: 0, all: "" });
    const checked = await run("build", "--check", "base");
    expect(checked).toMatchObject({
      exitCode: 0,
      all: expect.stringContaining("no warnings found") as string,
    });
    const other = await run("build", "--builder", "nowhere", "base");
    expect(other).toMatchObject({ exitCode: 1, all: expect.stringContaining("nowhere") as string });
    expect((await run("build", "--builder", builder, "--no-cache", "--pull", "base")).exitCode).toBe(0);
    await place.engine.images.remove(`${place.id}-base`, { force: true });
  }, 120_000);

  test("a failure is told with its place", async () => {
    const { exitCode, all } = await run("build", "bad", "endless");
    expect(exitCode).toBe(1);
    expect(all).toContain("target bad: failed to solve");
    expect(all).toMatch(/>>> COPY missing/);
    expect(await place.processes(builder, "sleep 6161")).toEqual([]);
  }, 120_000);

  test("an interrupted Compose ends what runs", async () => {
    const child = execFile(compose as string, ["build", "endless"], { cwd: place.dir, env: env() });
    child.stdin?.end();
    await eventually(async () => (await place.processes(builder, "sleep 6161")).length > 0);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    await ended;
    await eventually(async () => (await place.processes(builder, "sleep 6161")).length === 0);
  }, 120_000);
});
