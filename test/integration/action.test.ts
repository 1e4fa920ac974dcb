import { execFileSync, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ActionsService, actionsService } from "../support/actions-service.js";
import { engineEnv } from "../support/engine-env.js";
import { httpServer } from "../support/http-server.js";
import { Workplace } from "../support/workplace.js";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const { registry } = engineEnv();
/** The Node of the action's description. */
const node24 = (process.env["TESTBED_NODES"] ?? "").split(":").find((path) => /\b24\b/.test(path));

let place: Workplace;
let scratch: string;
let action: string;
let service: ActionsService;
let runs = 0;

beforeAll(async () => {
  place = await Workplace.open("action");
  scratch = await mkdtemp(join(tmpdir(), "slipway-action-"));
  action = join(scratch, "action");
  execFileSync(process.execPath, [join(checkout, "scripts", "action.mjs"), action], { cwd: checkout });
  service = await actionsService();
  await writeFile(
    join(scratch, "event.json"),
    JSON.stringify({ repository: { private: false, full_name: "octo/app" } }),
  );
}, 120_000);
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  await place?.[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

/** One step of a job, as its runner runs it. */
async function step(inputs: Record<string, string>, env: Record<string, string> = {}) {
  const dir = join(scratch, `run${runs++}`);
  await mkdir(dir);
  const files = { GITHUB_OUTPUT: "output", GITHUB_STATE: "state", GITHUB_STEP_SUMMARY: "summary" };
  const job: Record<string, string | undefined> = {
    PATH: process.env["PATH"],
    ...place.env,
    GITHUB_ACTIONS: "true",
    GITHUB_WORKSPACE: scratch,
    GITHUB_REPOSITORY: "octo/app",
    GITHUB_SERVER_URL: "https://github.com",
    GITHUB_RUN_ID: "7",
    GITHUB_RUN_ATTEMPT: "1",
    GITHUB_EVENT_PATH: join(scratch, "event.json"),
    RUNNER_TEMP: scratch,
    ...service.env,
    ...env,
  };
  for (const [variable, name] of Object.entries(files)) {
    job[variable] = join(dir, name);
    await writeFile(join(dir, name), "");
  }
  // The runner gives all inputs, those that are not given by their defaults or empty.
  for (const [name, value] of Object.entries({ "driver-opts": "", context: scratch, ...inputs }))
    job[`INPUT_${name.toUpperCase()}`] = value;
  const child = spawn(node24 ?? process.execPath, [join(action, "index.cjs")], { env: job, cwd: scratch });
  let log = "";
  child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  const [output, state, summary] = await Promise.all(
    Object.values(files).map((name) => readFile(join(dir, name), "utf8")),
  );
  return { code, log, output: values(output), state: values(state), summary: summary ?? "" };
}

/** What a file of the runner's says, by name. */
function values(text = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name = "", , value = ""] of text.matchAll(/^([^\n<]+)<<(\S+)\n([\s\S]*?)\n\2$/gm))
    found[name] = value;
  return found;
}

const asState = (state: Record<string, string>) =>
  Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));

test("is run by the Node that it names, and names all inputs that it reads", async () => {
  expect(node24, "TESTBED_NODES has no Node 24").toBeDefined();
  const description = await readFile(join(action, "action.yml"), "utf8");
  expect(description).toContain("using: node24");
  const declared = [...description.split("\noutputs:")[0]!.matchAll(/^ {2}([a-z-]+):$/gm)].map(
    ([, name]) => name,
  );
  const sources = await Promise.all(
    ["build-inputs", "builder-inputs", "run-action"].map((name) =>
      readFile(join(checkout, "src", "action", `${name}.ts`), "utf8"),
    ),
  );
  const read = new Set(
    [...sources.join("\n").matchAll(/inputs\s*\.(?:text|flag|list|lines|pairs)\(\s*"([a-z-]+)"/g)].map(
      ([, name]) => name,
    ),
  );
  for (const name of read) expect(declared, name).toContain(name);
});

test("builds, pushes and keeps cache and record with the job's token, tells the job of it, and cleans up", async () => {
  await writeFile(
    join(scratch, "Dockerfile"),
    "FROM busybox\nARG WORD\nRUN --mount=type=secret,id=token cat /run/secrets/token | wc -c >/length; echo $WORD >/word\n",
  );
  const tag = `${registry}/action:1`;
  const inputs = {
    "driver-opts": 'network=host\n"env.no_proxy=localhost,127.0.0.1"',
    "build-args": 'WORD=a b,c\n"OTHER=x ""y"""',
    secrets: "token=s3cret\n",
    tags: `${tag},${registry}/action:2`,
    push: "true",
    "cache-from": "type=gha",
    "cache-to": "type=gha,mode=max",
  };
  const first = await step(inputs);
  expect(first.code, first.log).toBe(0);
  expect(first.output).toMatchObject({
    digest: expect.stringMatching(/^sha256:/) as string,
    imageid: expect.stringMatching(/^sha256:/) as string,
    driver: "docker-container",
    name: expect.stringMatching(/^builder-/) as string,
  });
  const metadata = JSON.parse(first.output["metadata"] ?? "") as Record<string, unknown>;
  expect(metadata["containerimage.digest"]).toBe(first.output["digest"]);
  expect(first.summary).toMatch(/^### Built: .*action:1, /m);
  expect(first.summary).toContain("```mermaid\ngantt");
  expect(first.summary).toMatch(/RUN --mount=type=secret,id=token.* : (?:crit, )?s\d+, \d+, \d+/);
  expect(first.log).toMatch(/^::group::#\d+ /m);
  expect(service.caches.size).toBeGreaterThan(0);
  const [name = "", record] = [...service.artifacts][0] ?? [];
  expect(name).toMatch(/^octo~app~[0-9A-Z]{6}\.dockerbuild$/);
  expect(first.summary).toContain("dockerbuild");
  expect(record?.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));

  const post = await step({}, asState(first.state));
  expect(post.code, post.log).toBe(0);
  const left = await place.run(["ls", "--format", "{{.Name}}"]);
  expect(left.stdout).not.toContain(first.output["name"]);

  // Another job, with another builder: what the first left in the cache is there.
  const second = await step(inputs);
  expect(second.code, second.log).toBe(0);
  expect(second.log).toMatch(/CACHED/);
  expect((await step({}, asState(second.state))).code).toBe(0);
}, 180_000);

test("a step that only sees to the builder leaves it to the next one, whose failure is annotated", async () => {
  const first = await step({ build: "false", name: "job", "driver-opts": "network=host" });
  expect(first.code, first.log).toBe(0);
  expect(first.output).toEqual({ name: "job", driver: "docker-container" });
  await writeFile(join(scratch, "Dockerfile"), "FROM busybox\nRUN echo '::error::not this' && exit 3\n");
  service.refuseArtifacts();
  const second = await step({});
  expect(second.code).toBe(1);
  expect(second.output).toEqual({ name: "job", driver: "docker-container" });
  expect(second.state).toEqual({ isPost: "true" });
  expect(second.log).toMatch(/^::error file=Dockerfile,line=2,title=Build failed::/m);
  expect(second.log).toMatch(/^::warning title=Build record::/m);
  expect(second.log).not.toMatch(/^::error::not this/m);
  expect(second.summary).toMatch(/^### Not built: /m);
  expect(second.summary).toContain("exit code: 3");
  const post = await step({}, asState(first.state));
  expect(post.code, post.log).toBe(0);

  await writeFile(join(scratch, "Dockerfile"), "from busybox\nRUN true\n");
  const checked = await step({ "driver-opts": "network=host", call: "check" });
  expect(checked.code, checked.log).toBe(1);
  expect(checked.log).toMatch(/^::warning title=ConsistentInstructionCasing/m);
  expect((await step({}, asState(checked.state))).code).toBe(0);
}, 180_000);

test("logs in for later steps and out at the end; wrong inputs are errors that name them", async () => {
  await using server = await httpServer(({ headers }) =>
    headers.authorization === `Basic ${Buffer.from("me:word").toString("base64")}`
      ? { body: {} }
      : { status: 401, headers: { "www-authenticate": 'Basic realm="r"' }, body: {} },
  );
  const config = join(place.dir, "docker", "config.json");
  const login = { registry: server.host, username: "me", build: "false", builder: "default" };
  const wrong = await step({ ...login, password: "no" });
  expect(wrong.code).toBe(1);
  expect(wrong.log).toMatch(/^::error title=slipway::/m);
  const right = await step({ ...login, password: "word" });
  expect(right.code, right.log).toBe(0);
  expect(await readFile(config, "utf8")).toContain(server.host);
  expect((await step({}, asState(right.state))).code).toBe(0);
  expect(await readFile(config, "utf8")).not.toContain(server.host);

  for (const [inputs, says] of [
    [{ push: "yes" }, "the input push must be true or false"],
    [{ builder: "nowhere" }, "nowhere"],
    [{ secrets: "token" }, 'the input secrets has no value for "token"'],
    [{ context: "" }, "GITHUB_REPOSITORY names no repository"],
    [{ append: "name: x" }, "the input append has to be a YAML sequence of nodes"],
  ] as const) {
    const { code, log } = await step({ builder: "default", ...inputs }, { GITHUB_REPOSITORY: "" });
    expect(code, says).toBe(1);
    expect(log, says).toContain(says);
  }
}, 120_000);

test("a builder has the further nodes that are given, or is not made", async () => {
  // Another name of the same engine: one endpoint cannot be given twice.
  const socket = join(scratch, "engine.sock");
  await symlink(place.env["DOCKER_HOST"]!.replace("unix://", ""), socket);
  const append = `- name: second\n  endpoint: unix://${socket}\n  driver-opts: memory=128m\n  platforms: linux/s390x`;
  const made = await step({ build: "false", name: "two", append });
  expect(made.code, made.log).toBe(0);
  const { stdout } = await place.run(["inspect", "two"]);
  expect(stdout).toMatch(
    /^Name: +second\n[^]*^Endpoint: +unix:.*engine\.sock\n[^]*^Driver Options: +memory="128m"/m,
  );
  expect((await step({}, asState(made.state))).log).not.toContain("::error");
  const half = await step({ build: "false", name: "half", append: append.replace("memory", "bogus") });
  expect(half.code).toBe(1);
  expect(half.log).toContain("bogus");
  const left = await place.succeed(["ls", "--format", "{{.Name}}"]);
  expect(left.stdout).not.toMatch(/^(?:two|half)$/m);
}, 120_000);
