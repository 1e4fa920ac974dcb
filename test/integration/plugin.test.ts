import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, symlink } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../support/slipway.js";
import { type ClientResult } from "../support/two-clients.js";
import { Workplace, eventually } from "../support/workplace.js";

/** Where a docker client is, if there is one: slipway itself never asks for it. */
const docker = await new Promise<string | undefined>((resolve) =>
  execFile("sh", ["-c", "command -v docker"], (_error, stdout) => resolve(stdout.trim() || undefined)),
);
if (docker === undefined) console.log("plug-in tests cannot run: there is no docker client on PATH");

describe.skipIf(docker === undefined)("as docker's plug-in", () => {
  let place: Workplace;
  let context: string;

  beforeAll(async () => {
    place = await Workplace.open("plugin");
    await mkdir(place.path("docker", "cli-plugins"));
    await symlink(bundle, place.path("docker", "cli-plugins", "docker-buildx"));
    context = await place.context({
      Dockerfile: "FROM busybox\nRUN echo from a plug-in > /file\n",
      "slow.Dockerfile": "FROM busybox\nRUN echo begun && sleep 5151\n",
    });
    const created = await dockerRun([
      "buildx",
      "create",
      "--name",
      `${place.id}-b`,
      "--use",
      "--driver-opt",
      "network=host",
    ]);
    expect(created).toMatchObject({ exitCode: 0, stderr: "" });
  });

  afterAll(() => place.close(), 60_000);

  function dockerRun(args: readonly string[]): Promise<Omit<ClientResult, "stdout"> & { stdout: string }> {
    return new Promise((resolve) => {
      const env = { ...process.env, ...place.env };
      const child = execFile(docker ?? "", args, { env, cwd: place.dir }, (_error, stdout, stderr) =>
        resolve({ exitCode: child.exitCode, stdout, stderr }),
      );
      child.stdin?.end();
    });
  }

  test("docker lists it, by its metadata", async () => {
    const { stdout } = await dockerRun(["info", "--format", "{{json .ClientInfo.Plugins}}"]);
    const plugins = JSON.parse(stdout) as { Name: string; Vendor: string; Err?: string }[];
    expect(plugins).toEqual([
      expect.objectContaining({ Name: "buildx", SchemaVersion: "0.1.0", Vendor: "slipway" }),
    ]);
  });

  test("docker buildx build builds, and so does docker build with the engine's own builder", async () => {
    const built = await dockerRun(["buildx", "build", "--load", "-t", `${place.id}:one`, context]);
    expect(built.stderr).toContain("importing to docker");
    expect(built.exitCode).toBe(0);
    const again = await dockerRun(["buildx", "build", "-q", "--load", "-t", `${place.id}:two`, context]);
    const inspected = await place.engine.images.inspect(`${place.id}:one`);
    expect(again).toMatchObject({ exitCode: 0, stdout: `${inspected.Id}\n`, stderr: "" });
    // docker build asks for the builder called default, which is the engine's own.
    await place.engine.images.pull("busybox");
    const short = await dockerRun(["build", "-t", `${place.id}:three`, context]);
    expect(short.exitCode, short.stderr).toBe(0);
    for (const tag of ["one", "two", "three"])
      await place.engine.images.remove(`${place.id}:${tag}`, { force: true });
  });

  test("docker's own flags are heard", async () => {
    const { exitCode, stderr } = await dockerRun([
      "--host",
      "unix:///nowhere.sock",
      "buildx",
      "create",
      "--name",
      "no",
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("cannot connect to the Docker daemon at unix:///nowhere.sock");
    const other = await dockerRun(["--context", "nocontext", "buildx", "ls"]);
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toContain("nocontext");
  });

  test.each([
    [["buildx", "build", "--bogus", "."], "ERROR: unknown flag: --bogus\n"],
    [
      ["buildx", "build"],
      "ERROR: docker: 'docker buildx build' requires 1 argument\n\nUsage:  docker buildx build [OPTIONS] PATH | URL | -\n\nRun 'docker buildx build --help' for more information\n",
    ],
  ])("docker %j is refused in docker's words", async (args, message) => {
    expect(await dockerRun(args)).toMatchObject({ exitCode: 1, stdout: "", stderr: message });
  });

  test.each([[["buildx", "build", "--help"]], [["help", "buildx", "build"]], [["buildx", "help", "build"]]])(
    "docker %j is help",
    async (args) => {
      const { exitCode, stdout } = await dockerRun(args);
      expect(exitCode).toBe(0);
      expect(stdout).toContain("Start a build\n\nUsage:\n  docker buildx build [OPTIONS] PATH | URL | -\n");
    },
  );

  test("docker's completion asks it", async () => {
    const { stdout } = await dockerRun(["__complete", "buildx", "build", "--progress=p"]);
    expect(stdout).toBe("plain\n:4\n");
  });

  test("a signal to docker cancels the build", { timeout: 30_000 }, async () => {
    const args = [
      "buildx",
      "build",
      "--builder",
      `${place.id}-b`,
      "--progress=plain",
      "-f",
      `${context}/slow.Dockerfile`,
      context,
    ];
    // A process group of its own, as at a terminal's far end: the signal goes to docker alone.
    const child = spawn(docker ?? "", args, {
      env: { ...process.env, ...place.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    await eventually(() => Promise.resolve(/^#\d+ [\d.]+ begun$/m.test(stderr)));
    const ended = once(child, "exit") as Promise<[number | null]>;
    child.kill("SIGINT");
    // Node 20 cannot hear of the first; the third ends docker, and slipway notices that.
    if (Number(process.versions.node.split(".")[0]) < 22)
      while (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGINT");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    else expect(await ended).toEqual([130, null]);
    await ended;
    await eventually(async () => (await place.processes(`${place.id}-b`, "sleep 5151")).length === 0);
  });
});
