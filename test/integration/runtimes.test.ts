import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildLibrary } from "../support/installed-package.js";
import { runtimesEnv } from "../support/runtimes-env.js";
import { makeDirectory, removeDirectory, slipway, succeed } from "../support/slipway.js";

// Command and library, as they are built, on everything that they are said to run on: the least that each has to do, beside
// what scripts/test.mjs runs on every Node.

const run = promisify(execFile);
const checkout = join(import.meta.dirname, "../..");
const command = join(checkout, "dist/command.cjs");
const builder = "runtimes";
const { nodes, deno, bun } = runtimesEnv();
let dir: string;
let context: string;
/** A project that has the library of this checkout among its packages. */
let project: string;

beforeAll(async () => {
  dir = await makeDirectory("runtimes");
  context = join(dir, "context");
  await mkdir(context);
  await writeFile(join(context, "Dockerfile"), "FROM busybox\nCOPY hello /\nRUN cat /hello\n");
  await writeFile(join(context, "hello"), "hello\n");
  project = join(dir, "project");
  await mkdir(join(project, "node_modules"), { recursive: true });
  await writeFile(join(project, "package.json"), '{"type":"module","dependencies":{"slipway":"*"}}');
  await symlink(checkout, join(project, "node_modules", "slipway"));
  await buildLibrary();
  await succeed(["create", "--name", builder, "--driver-opt", "network=host", "--bootstrap"]);
});

afterAll(async () => {
  await slipway(["rm", "--force", builder]);
  await removeDirectory(dir);
});

/** Runs the installed command with its code cache in `cache`. Nothing in the runtime may complain of what is done to it. */
async function slipwayOn(runtime: readonly string[], args: readonly string[], cache: string) {
  const [file, ...before] = runtime as [string, ...string[]];
  const env = { ...process.env, XDG_CACHE_HOME: join(dir, cache) };
  const { stdout, stderr } = await run(file, [...before, command, ...args], { env });
  expect(stderr).not.toMatch(/flag|warning/i);
  return stdout;
}

const build = () => ["build", "--builder", builder, "--progress", "plain", "-o", "type=cacheonly", context];

async function runCommands(runtime: readonly string[]) {
  expect(await slipwayOn(runtime, ["ls"], "small")).toContain("running");
  expect(await slipwayOn(runtime, ["inspect", builder], "small")).toMatch(/BuildKit version:\s+v/);
  await slipwayOn(runtime, build(), "small");
  expect(await slipwayOn(runtime, ["du", "--builder", builder], "small")).toContain("Total:");
}

async function buildWithPolicy(runtime: readonly string[]) {
  const name = "policy.mjs";
  await writeFile(join(dir, "word.mjs"), 'export const word = await Promise.resolve("asked about");\n');
  await writeFile(
    join(dir, name),
    'import { word } from "./word.mjs";\nexport default (source) => (console.log(word, source.type), "allow");\n',
  );
  const asked = await slipwayOn(runtime, [...build(), "--policy-module", join(dir, name)], "small");
  expect(asked).toContain("asked about image\n");
}

async function buildByLibrary([file, ...args]: readonly [string, ...string[]]) {
  const program = join(project, "build.mjs");
  const lines = [
    `import { build, files } from "slipway";`,
    `const context = files({ Dockerfile: "FROM busybox\\nCOPY Dockerfile /\\n" });`,
    `const outputs = [{ type: "oci", dest: ${JSON.stringify(join(dir, "image.tar"))} }];`,
    `const { digest } = await build({ builder: ${JSON.stringify(builder)}, context, outputs });`,
    `console.log(digest);`,
  ];
  await writeFile(program, lines.join("\n"));
  const { stdout } = await run(file, [...args, program]);
  expect(stdout).toMatch(/^sha256:/);
}

const lines = nodes.map((node) => [/node-(\d+\.\d+)/.exec(node)?.[1] ?? node, node] as const);

describe.each(lines)("Node %s", (line, node) => {
  test("lists, inspects, builds, and tells what takes space", () => runCommands([node]));

  test("builds by the library", () => buildByLibrary([node]));

  test("asks modules about sources", () => buildWithPolicy([node]));

  test("takes the code cache that it made, and leaves it alone after three builds", async () => {
    const cache = `cache-${line}`;
    const read = async () => {
      const kept = join(dir, cache, "slipway");
      const [name] = (await readdir(kept)).filter((each) => each.includes("-build-"));
      const file = join(kept, name as string);
      return { writes: (await readFile(file))[0], made: (await stat(file)).mtimeMs };
    };
    for (let builds = 1; builds <= 3; builds++) {
      await slipwayOn([node], build(), cache);
      expect((await read()).writes).toBe(builds);
    }
    const complete = await read();
    // If V8 refused it, it would be made anew.
    for (let builds = 4; builds <= 5; builds++) await slipwayOn([node], build(), cache);
    expect(await read()).toEqual(complete);
  });
});

test("a build loads nothing of Node's that it does not need", async () => {
  const hook = join(dir, "hook.cjs");
  const loaded = join(dir, "loaded.json");
  await writeFile(
    hook,
    `process.once("exit", () => require("node:fs").writeFileSync(${JSON.stringify(loaded)}, JSON.stringify(process.moduleLoadList)));`,
  );
  await slipwayOn([process.execPath, "--require", hook], build(), "small");
  const names = JSON.parse(await readFile(loaded, "utf8")) as string[];
  // Each takes a millisecond or more. Programs are run, names looked up by some builds only.
  const heavy = ["child_process", "dgram", "dns/promises", "perf_hooks", "worker_threads", "zlib"].concat([
    "assert",
    "http",
    "http2",
    "https",
    "tls",
  ]);
  expect(names).toContain("NativeModule net");
  expect(heavy.filter((name) => names.includes(`NativeModule ${name}`))).toEqual([]);
});

describe("Deno", () => {
  const runtime = [deno, "run", "--allow-all", "--no-lock"] as const;

  test("lists, inspects, builds, and tells what takes space", () => runCommands(runtime));

  test("builds by the library", () => buildByLibrary(runtime));

  test("asks modules about sources", () => buildWithPolicy(runtime));
});

describe("Bun", () => {
  test("lists, inspects, builds, and tells what takes space", () => runCommands([bun]));

  test("builds by the library", () => buildByLibrary([bun]));

  test("asks modules about sources", () => buildWithPolicy([bun]));
});
