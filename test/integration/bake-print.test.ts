import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBake } from "../../src/bake/index.js";
import { messageOf } from "../../src/core/index.js";
import { type BakeCase, bakeCases } from "../support/bake-cases.js";
import { chance, expressionFile, randomExpression, typedExpression } from "../support/bake-generator.js";
import { randomModule } from "../support/bake-module-generator.js";
import { engineEnv } from "../support/engine-env.js";
import { slipway as runSlipway } from "../support/slipway.js";

/** Expressions of one run, all in a few definitions, so that buildx is started only a few times. */
const [files, perFile] = engineEnv().long ? [100, 100] : [4, 150];
/** Definitions of one run. */
const modules = engineEnv().long ? 5_000 : 120;
/** Cases that buildx is asked for at the same time. */
const atOnce = 4;

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "slipway-bake-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What buildx says, JSON or the error behind `ERROR: `. */
async function buildx(args: readonly string[], cwd: string, env: Record<string, string>): Promise<unknown> {
  const program = engineEnv().buildx;
  if (!program) throw new Error("TESTBED_BUILDX is not set: run this inside testbed/with");
  const options = { cwd, maxBuffer: 64 << 20, env: { HOME: directory, PATH: process.env["PATH"], ...env } };
  try {
    const { stdout } = await promisify(execFile)(program, ["bake", "--print", ...args], options);
    return JSON.parse(stdout);
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    return stderr.slice(stderr.indexOf("ERROR: ") + "ERROR: ".length).trimEnd();
  }
}

test("random expressions come to what they come to in buildx", { timeout: 300_000 }, async () => {
  const differing: string[] = [];
  for (let seed = 1; seed <= files; seed++) {
    const pick = chance(seed);
    const expressions = Array.from({ length: perFile }, (_, at) =>
      // Every other one is well typed: the rest mostly fails, which is to be the same as well.
      at % 2 === 0 ? typedExpression(pick, 4) : randomExpression(pick, 3),
    );
    const content = expressionFile(expressions);
    await writeFile(path.join(directory, "docker-bake.hcl"), content);
    const printed = (await buildx(["-f", "docker-bake.hcl"], directory, {})) as {
      target: Record<string, { args?: Record<string, string> }>;
    };
    const theirs = printed.target["default"]?.args ?? {};
    const plan = await readBake({ files: [{ name: "docker-bake.hcl", content }], env: {} });
    const ours = plan.toJSON().target["default"]?.["args"] as Record<string, string>;
    for (const [at, expression] of expressions.entries()) {
      const [mine, other] = [ours[`a${at}`], theirs[`a${at}`]];
      if (mine !== other) differing.push(`${expression}\n  buildx:  ${other}\n  slipway: ${mine}`);
    }
  }
  expect(differing).toEqual([]);
});

test(
  "definitions come to what they come to in buildx, or are refused in the same words",
  { timeout: 120_000 },
  async () => {
    const differing: object[] = [];
    const waiting = [...bakeCases.entries()];
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [at, one] = next;
        const cwd = path.join(directory, String(at));
        const [ours, theirs] = await Promise.all([slipway(one, cwd), asBuildx(one, cwd)]);
        const areBothRefused = typeof ours === "string" && typeof theirs === "string";
        const isSame = one.refused === "own words" ? areBothRefused : deepEqual(ours, theirs);
        const isAsMeant = areBothRefused === (one.refused !== undefined);
        if (!isSame || !isAsMeant) differing.push({ case: one.name, slipway: ours, buildx: theirs });
      }
    };
    for (const [at, one] of bakeCases.entries()) await write(one, path.join(directory, String(at)));
    await Promise.all(Array.from({ length: atOnce }, work));
    expect(differing).toEqual([]);
  },
);

test(
  "random definitions come to what they come to in buildx, or are refused",
  { timeout: 1_200_000 },
  async () => {
    const differing: object[] = [];
    let printed = 0;
    const seeds = Array.from({ length: modules }, (_, at) => at + 1);
    const work = async () => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
        const one = { name: `seed ${seed}`, ...randomModule(chance(seed)) };
        const cwd = path.join(directory, `module-${seed}`);
        await write(one, cwd);
        const ours = await slipway(one, cwd);
        let theirs = await asBuildx(one, cwd);
        // Which of several faults is told first is a matter of Go's maps.
        const isSame = () =>
          (typeof ours === "string" && typeof theirs === "string") || deepEqual(ours, theirs);
        // And so is the order of some lists: another run of buildx's has another.
        for (let again = 0; again < 40 && !isSame(); again++) theirs = await asBuildx(one, cwd);
        await rm(cwd, { recursive: true });
        if (!isSame()) differing.push({ ...one, slipway: ours, buildx: theirs });
        if (typeof ours !== "string") printed++;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    expect(differing).toEqual([]);
    // Two that refuse everything are the same as well.
    expect(printed).toBeGreaterThan(modules / 4);
  },
);

async function write({ sources }: Pick<BakeCase, "sources">, cwd: string): Promise<void> {
  for (const [name, content] of Object.entries(sources)) {
    await mkdir(path.dirname(path.join(cwd, name)), { recursive: true });
    await writeFile(path.join(cwd, name), content);
  }
}

async function slipway(one: BakeCase, cwd: string): Promise<unknown> {
  try {
    const { files: names = Object.keys(one.sources), targets = [], set = [], vars = {}, env = {} } = one;
    const plan = await readBake({
      files: names, targets, set, vars, cwd, env: { HOME: directory, ...env },
    }); // prettier-ignore
    return JSON.parse(JSON.stringify(plan.toJSON()));
  } catch (error) {
    return messageOf(error);
  }
}

function asBuildx(one: BakeCase, cwd: string): Promise<unknown> {
  const { files: names = Object.keys(one.sources), targets = [], set = [], vars = {}, env = {} } = one;
  const args = [
    ...names.flatMap((name) => ["-f", name]),
    ...set.flatMap((change) => ["--set", change]),
    ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}=${value}`]),
    ...targets,
  ];
  return buildx(args, cwd, env);
}

function deepEqual(a: unknown, b: unknown): boolean {
  try {
    expect(a).toEqual(b);
    return true;
  } catch {
    return false;
  }
}

test("--policy changes all targets as in buildx, and what would be rego is refused when it is built", async () => {
  const cwd = await mkdtemp(path.join(directory, "policy-"));
  const content = 'target "default" {\n  policy = ["strict=true"]\n  dockerfile-inline = "FROM scratch"\n}\n';
  await writeFile(path.join(cwd, "docker-bake.hcl"), content);
  const ours = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await runSlipway(["bake", ...args], {
      cwd,
      env: { HOME: directory },
    });
    return exitCode === 0
      ? (JSON.parse(stdout) as unknown)
      : stderr.slice(stderr.indexOf("ERROR: ") + "ERROR: ".length).trimEnd();
  };
  for (const texts of [
    ["disabled=true"],
    ["disabled=true", "strict=true"],
    ["disabled=true,log-level=info"],
    ["strict=false", "log-level=debug"],
    ["filename=x"],
    ["reset=true"],
    ["nonsense"],
    [""],
  ]) {
    const flags = texts.flatMap((text) => ["--policy", text]);
    expect(await ours("--print", ...flags), texts.join(" ")).toEqual(await buildx(flags, cwd, {}));
  }
  expect(await ours()).toContain("--policy strict=true: rego policies are not supported");
  expect(await ours("--set", "*.policy=filename=a.rego")).toContain(
    "--policy filename=a.rego: rego policies",
  );
});

test("--list says what it says in buildx", async () => {
  const cwd = await mkdtemp(path.join(directory, "list-"));
  await writeFile(
    path.join(cwd, "docker-bake.hcl"),
    `variable "V" { type = list(string) }
variable "W" {
  default     = 1
  description = "some"
}
group "default" { targets = ["b", "a", "_c"] }
group "empty" {
  targets     = []
  description = "of nothing"
}
group "bare" { targets = [] }
group "told" {
  targets     = ["b", "a"]
  description = "both"
}
target "a" {}
target "b" { description = "the b" }
target "_c" {}
`,
  );
  const program = engineEnv().buildx as string;
  for (const list of ["targets", "variables", "type=targets,format=json", "type=variables,format=json"]) {
    const args = ["bake", "--list", list];
    const { stdout } = await runSlipway(args, { cwd, env: { HOME: directory } });
    const theirs = await promisify(execFile)(program, args, {
      cwd,
      env: { HOME: directory },
    });
    expect(stdout, list).toBe(theirs.stdout);
  }
});

test("--print refuses what buildx refuses before it builds, and prints the rest", async () => {
  const cwd = await mkdtemp(path.join(directory, "checks-"));
  const env = { HOME: directory, SSH_AUTH_SOCK: "" };
  const differing: string[] = [];
  for (const line of [
    'platforms = ["bogus/x/y/z"]',
    'ulimits = ["x"]',
    'ulimits = ["nofile=5:1"]',
    'annotations = ["foo"]',
    'annotations = ["bogus:foo=bar"]',
    'output = ["type=local"]',
    'output = ["type=nonsense"]',
    'output = ["type=tar,dest=-", "type=oci,dest=-"]',
    'output = ["type=local,dest=x,mode=bogus"]',
    'output = ["type=image,push=true"]',
    'resources = { memory = "lots" }',
    'ssh = ["default"]',
    'ssh = ["k=/nonexistent"]',
    'secret = ["id=x,src=/nonexistent"]',
    'secret = ["id=x,env=NOPE"]',
    'secret = ["src=x"]',
    'extra-hosts = { a = "notanip" }',
    'network = "bogus"',
    'call = "bogus"',
    'entitlements = ["bogus"]',
    'tags = ["UPPER/CASE:x"]',
  ]) {
    await writeFile(path.join(cwd, "docker-bake.hcl"), `target "default" {\n${line}\n}\n`);
    const { exitCode, stdout } = await runSlipway(["bake", "--print"], { cwd, env });
    const theirs = await buildx([], cwd, { SSH_AUTH_SOCK: "" });
    if ((exitCode === 0) !== (typeof theirs !== "string") || (stdout === "") !== (exitCode !== 0))
      differing.push(`${line}: ${exitCode} ${JSON.stringify(theirs)}`);
  }
  expect(differing).toEqual([]);
});
