import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeEngine, type Script, stdcopyFrame } from "../../test/support/fake-engine.js";
import { runDocker } from "./run-docker.js";

let fake: FakeEngine;

beforeEach(async () => {
  fake = await FakeEngine.start();
});
afterEach(async () => {
  await fake.idle();
  await fake.close();
});

/** Runs a command line on the fake engine. */
async function docker(
  args: readonly string[],
  { host = fake.host, signal = new AbortController().signal } = {},
) {
  const outputs = { stdout: "", stderr: "" };
  const collected = (name: "stdout" | "stderr") =>
    new PassThrough().on("data", (data: Buffer) => (outputs[name] += data.toString()));
  const exitCode = await runDocker(args, {
    env: { DOCKER_HOST: host, DOCKER_CONFIG: "/nowhere", HOME: "/nowhere" },
    stdin: Readable.from([]),
    stdout: collected("stdout"),
    stderr: collected("stderr"),
    signal,
    takeSignals: () => () => {},
  });
  await new Promise(setImmediate);
  return { exitCode, ...outputs };
}

describe("a command line that cannot be read is told in docker's words", () => {
  const usage =
    "Usage:  docker tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]\n\nRun 'docker tag --help' for more information\n";
  test.each([
    [["tag", "a"], 1, `docker: 'docker tag' requires 2 arguments\n\n${usage}`],
    [["tag", "--foo", "a", "b"], 125, `unknown flag: --foo\n\n${usage}`],
    [
      ["--config"],
      125,
      "flag needs an argument: --config\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more information\n",
    ],
    [["inspect", "--type", "bogus", "x"], 1, /^unknown type: "bogus": must be one of "container", "image"/],
    [["images", "--filter", "x"], 125, /^invalid argument "x" for "-f, --filter" flag: /],
    [["swarm", "init"], 1, /^docker: unknown command: docker swarm\n/],
    [["image", "bogus"], 1, /^docker: unknown command: docker image bogus\n/],
    [["inspect", "-f", "{{.X", "y"], 64, /^template parsing error: template: :1: unclosed action\n/],
    [["pull", "UP"], 1, /^invalid reference format/],
    [["push", `a@sha256:${"0".repeat(64)}`], 1, "cannot push a digest reference\n"],
  ])("%j", async (args, exitCode, stderr) => {
    const result = await docker(args);
    expect(result.stderr).toEqual(typeof stderr === "string" ? stderr : expect.stringMatching(stderr));
    expect(result).toMatchObject({ exitCode, stdout: "" });
  });
});

test.each([
  [["--help"], /^Usage: {2}docker \[OPTIONS\] COMMAND\n[^]*\n {2}images +List images\n/],
  [["image"], /^Usage: {2}docker image COMMAND\n[^]*\n {2}ls +List images\n/],
  [["help", "tag"], /^Usage: {2}docker tag [^]*\nAliases:\n {2}docker image tag, docker tag\n$/],
  [
    ["image", "ls", "--help"],
    /^Usage: {2}docker image ls \[OPTIONS\][^]*\nOptions:\n[^]* {2}-q, --quiet +Only show image IDs\n/,
  ],
])("%j prints help", async (args, stdout) => {
  expect(await docker(args)).toEqual({
    exitCode: 0,
    stdout: expect.stringMatching(stdout) as string,
    stderr: "",
  });
});

describe("an engine that is not there", () => {
  const host = "unix:///nowhere/docker.sock";
  const words = `Cannot connect to the Docker daemon at ${host}. Is the docker daemon running?\n`;

  test.each([["images"], ["inspect", "x"], ["tag", "a", "b"], ["rmi", "a"], ["pull", "a"], ["push", "a"]])(
    "is told by %s in the words that tools look for",
    async (...args) => {
      expect(await docker(args, { host })).toMatchObject({ exitCode: 1, stderr: words });
    },
  );

  test("lets version and info still show the client's part", async () => {
    const version = await docker(["version"], { host });
    expect(version).toMatchObject({ exitCode: 1, stderr: words });
    expect(version.stdout).toMatch(/^Client:\n Version: +28/);
    expect(await docker(["version", "--format", "{{.Server.Version}}"], { host })).toMatchObject({
      exitCode: 1,
      stdout: "\n",
    });
    expect((await docker(["info"], { host })).stdout).toMatch(/\nServer:\n$/);
  });
});

const image = {
  Id: `sha256:${"ab".repeat(32)}`,
  Created: 1_700_000_000,
  Size: 1_234_567,
  ParentId: "",
  Labels: null,
};

describe("images", () => {
  test("prints a line for each name", async () => {
    fake.on("GET", "/images/json", (call) =>
      call.json([
        { ...image, RepoTags: ["reg:5000/a:1", "b:2"], RepoDigests: ["reg:5000/a@sha256:11"] },
        { ...image, RepoTags: null, RepoDigests: ["c@sha256:22"] },
        { ...image, RepoTags: ["<none>:<none>"], RepoDigests: ["<none>@<none>"], Created: 0 },
      ]),
    );
    const columns = "{{.Repository}} {{.Tag}} {{.Digest}} {{.ID}} {{.Size}}";
    const { stdout } = await docker(["images", "--digests", "--format", columns]);
    expect(stdout).toBe(
      ["reg:5000/a 1 sha256:11", "b 2 <none>", "c <none> sha256:22", "<none> <none> <none>"]
        .map((line) => `${line} abababababab 1.23MB\n`)
        .join(""),
    );
    expect((await docker(["images", "-q", "--no-trunc", "b"])).stdout).toBe(`${image.Id}\n`.repeat(4));
    expect(fake.calls.at(-1)?.query).toEqual({ filters: '{"reference":{"b":true}}' });
  });
});

test("inspect looks a name up among all kinds, and says nothing of the kinds that do not have it", async () => {
  fake.on("GET", /^\/volumes\/(?<name>.+)$/, (call) =>
    call.json({ Name: call.params["name"], Labels: null }),
  );
  expect(await docker(["inspect", "-f", "{{.Name}} {{len .Labels}}", "v"])).toMatchObject({
    stdout: "v 0\n",
  });
  expect(fake.calls.slice(1).map(({ path }) => path)).toEqual([
    "/containers/v/json",
    "/images/v/json",
    "/networks/v",
    "/volumes/v",
  ]);
  expect(await docker(["inspect", "a/b"])).toEqual({
    exitCode: 1,
    stdout: "[]\n",
    stderr: "Error: No such object: a/b\n",
  });
});

test("a call that is cancelled ends the command", async () => {
  const controller = new AbortController();
  fake.on("GET", "/images/json", () => controller.abort());
  expect(await docker(["images"], { signal: controller.signal })).toMatchObject({
    exitCode: 130,
    stderr: "",
  });
});

describe("run that is cancelled ends with 130, wherever it is", () => {
  test.each([
    "/containers/create",
    "/containers/c/attach",
    "/containers/c/wait",
    "/containers/c/start",
    "output",
  ])("%s", async (where) => {
    const controller = new AbortController();
    const cancelled = (path: string, answer: Script): Script => {
      return path === where ? () => controller.abort() : answer;
    };
    const routes: [string, Script][] = [
      ["/containers/create", (call) => call.json({ Id: "c" })],
      ["/containers/c/attach", async (call) => void (await call.hijack(stdcopyFrame(1, "begun\n")))],
      ["/containers/c/wait", (call) => call.response.writeHead(200).flushHeaders()],
      ["/containers/c/start", (call) => call.empty()],
    ];
    for (const [path, answer] of routes) fake.on("POST", path, cancelled(path, answer));
    if (where === "output")
      fake.on("POST", "/containers/c/start", (call) => {
        call.empty();
        setTimeout(() => controller.abort(), 20);
      });
    const { exitCode, stderr } = await docker(["run", "--sig-proxy=false", "a"], controller);
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: "" });
  });
});

describe("cp into what is neither a file nor a directory", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "slipway-cp-"));
    execFileSync("mkfifo", [join(dir, "pipe")]);
  });
  afterEach(() => rm(dir, { recursive: true }));

  /** A container with one thing in it. */
  function archive(name: string, type: "file" | "directory"): void {
    const stat = { name, size: 3, mode: type === "file" ? 0o644 : 0x8000_01ed, mtime: "", linkTarget: "" };
    fake.on("GET", "/containers/c/archive", ({ response }) => {
      const header = Buffer.from(JSON.stringify(stat)).toString("base64");
      response.writeHead(200, { "x-docker-container-path-stat": header });
      const tar = pack();
      tar.entry({ name, type, mode: 0o600, mtime: new Date(0) }, type === "file" ? "hi\n" : "");
      tar.finalize();
      tar.pipe(response);
    });
  }

  test("writes the content and leaves the rest as it is", async () => {
    archive("f", "file");
    const path = join(dir, "pipe");
    const before = await stat(path);
    const [{ exitCode, stderr }, content] = await Promise.all([
      docker(["cp", "c:/f", path]),
      readFile(path, "utf8"),
    ]);
    expect({ exitCode, stderr, content }).toEqual({ exitCode: 0, stderr: "", content: "hi\n" });
    const { mode, ino } = await stat(path);
    expect({ mode, ino }).toEqual({ mode: before.mode, ino: before.ino });
  });

  test("refuses a directory", async () => {
    archive("d", "directory");
    const path = join(dir, "pipe");
    expect(await docker(["cp", "c:/d", path])).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: `cannot copy a directory into ${path}, which is neither a file nor a directory\n`,
    });
  });

  test("of an archive that stops coming ends with the signal", async () => {
    const stop = new AbortController();
    fake.on("GET", "/containers/c/archive", ({ response }) => {
      const header = Buffer.from(
        JSON.stringify({ name: "f", size: 3, mode: 0o644, mtime: "", linkTarget: "" }),
      );
      response.writeHead(200, { "x-docker-container-path-stat": header.toString("base64") }).flushHeaders();
      setTimeout(() => stop.abort(), 50);
    });
    const { exitCode, stderr } = await docker(["cp", "c:/f", join(dir, "pipe")], stop);
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: "" });
  });

  test("of a pipe that nobody reads ends with the signal", async () => {
    archive("f", "file");
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    expect((await docker(["cp", "c:/f", join(dir, "pipe")], stop)).exitCode).toBe(130);
  });
});

test("the messages of a push are printed without its moving parts, and a failure sets the exit code", async () => {
  fake.on("POST", "/images/a/push", (call) =>
    call.lines([
      { status: "The push refers to repository [docker.io/library/a]" },
      { status: "Preparing", id: "l1", progressDetail: {} },
      { status: "Pushing", id: "l1", progressDetail: { current: 1, total: 2 } },
      { error: "denied", errorDetail: { message: "denied: no" } },
    ]),
  );
  expect(await docker(["push", "a"])).toEqual({
    exitCode: 1,
    stdout: "Using default tag: latest\nThe push refers to repository [docker.io/library/a]\nl1: Preparing\n",
    stderr: "denied: no\n",
  });
});
