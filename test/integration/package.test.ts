import { execFile } from "node:child_process";
import { copyFile, cp, mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineEnv } from "../support/engine-env.js";
import { type PackedPackage, install, lend, pack } from "../support/installed-package.js";
import { makeDirectory, removeDirectory, slipway, succeed } from "../support/slipway.js";

// What `npm publish` would publish, installed into an empty project and used from there.

const run = promisify(execFile);
const checkout = join(import.meta.dirname, "../..");
const { dockerHost, registry } = engineEnv();
let dir: string;
let project: string;
let packed: PackedPackage;

beforeAll(async () => {
  dir = await makeDirectory("package");
  project = join(dir, "project");
  packed = await pack(dir);
  await install(packed, project);
});

afterAll(async () => {
  await slipway(["rm", "packaged"]);
  await removeDirectory(dir);
});

/** Runs a file of the project. Gives what it prints. */
async function node(file: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [file, ...args], { cwd: project });
  return stdout.trim();
}

async function file(name: string, content: string): Promise<string> {
  const path = join(project, name);
  await writeFile(path, content);
  return path;
}

describe("the tarball", () => {
  test("holds what is needed and nothing else", () => {
    const pages = packed.files.filter((path) => /^docs\/[\w/-]+\.(md|svg|png)$/.test(path));
    expect(pages).toContain("docs/README.md");
    const others = packed.files.filter(
      (path) => !pages.includes(path) && !/^dist\/(lib|cjs)\/[\w/-]+\.(js|d\.ts)$/.test(path),
    );
    expect(others.sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "THIRD-PARTY-NOTICES",
      "dist/cjs/package.json",
      "dist/command.cjs",
      "dist/docker.cjs",
      "dist/slipway.mjs",
      "dist/undici.cjs",
      "package.json",
    ]);
    expect(packed.files.filter((path) => /\.test\.|^dist\/lib\/cli/.test(path))).toEqual([]);
  });

  test("an installation takes at most 23 MB", async () => {
    const sizes = new Map<string, number>();
    const modules = join(project, "node_modules");
    for (const entry of await readdir(modules, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      const [owner = ""] = /^(@[^/]+\/)?[^/]+/.exec(relative(modules, file)) ?? [];
      sizes.set(owner, (sizes.get(owner) ?? 0) + (await stat(file)).size);
    }
    const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    const megabytes = (size: number) => `${(size / 1e6).toFixed(1)} MB`;
    const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 4);
    console.log(
      `installed: ${megabytes(bytes)}; ${largest.map(([name, size]) => `${name} ${megabytes(size)}`).join(", ")}`,
    );
    expect(bytes / 1e6).toBeLessThan(23);
  });

  test("publint finds nothing to say", async () => {
    const { stdout } = await run(join(checkout, "node_modules/.bin/publint"), [
      "run",
      packed.tarball,
      "--strict",
    ]);
    expect(stdout).toContain("All good!");
  });

  test("its types are what its modules are (are the types wrong)", async () => {
    const attw = join(checkout, "node_modules/.bin/attw");
    // Exits with 1 for a problem, but for those of resolutions that such a package does not have.
    await run(attw, [packed.tarball, "--profile", "node16", "--format", "ascii"]);
  });
});

describe("the installed package", () => {
  const names = ["AbortedError", "BuildError", "Builder", "build", "connect", "files", "parseOutput"];

  test("is imported by ES modules", async () => {
    const main = await file(
      "main.mjs",
      'import * as all from "slipway"; console.log(Object.keys(all).join());',
    );
    expect((await node(main)).split(",")).toEqual(expect.arrayContaining(names));
  });

  test("is required by CommonJS", async () => {
    const main = await file("main.cjs", 'console.log(Object.keys(require("slipway")).join());');
    expect((await node(main)).split(",")).toEqual(expect.arrayContaining(names));
  });

  test("the command runs", async () => {
    const { stdout } = await run(join(project, "node_modules/.bin/slipway"), ["version"]);
    expect(stdout).toMatch(/^\S*slipway v?\d+\.\d+\.\d+/);
  });

  test("importing it loads nothing that is not used yet", async () => {
    // Every module that Node loads, as its loader sees it; CommonJS ones are in require's cache.
    await file(
      "hooks.mjs",
      `import { appendFileSync } from "node:fs";
export async function load(url, context, next) {
  appendFileSync(${JSON.stringify(join(dir, "loaded"))}, url + "\\n");
  return next(url, context);
}`,
    );
    const main = await file(
      "loads.mjs",
      `import { createRequire, register } from "node:module";
register("./hooks.mjs", import.meta.url);
const before = new Set(process.moduleLoadList);
await import("slipway");
const builtin = process.moduleLoadList.filter((name) => !before.has(name)).map((name) => name.split(" ")[1]);
console.log(JSON.stringify({ builtin, required: Object.keys(createRequire(import.meta.url).cache) }));`,
    );
    const { builtin, required } = JSON.parse(await node(main)) as { builtin: string[]; required: string[] };
    const loaded = (await readFile(join(dir, "loaded"), "utf8")).trim().split("\n");
    const files = loaded.filter((url) => url.startsWith("file:"));
    expect(files.filter((url) => !url.includes("/node_modules/slipway/dist/lib/"))).toEqual([]);
    // Half of them are smaller than 1.5 kB, what several chunks have in common: the bytes below count for more.
    expect(files.length).toBeLessThan(70);
    expect(required).toEqual([]);
    // The expensive ones; they come with the first connection.
    expect(builtin.filter((name) => ["http", "http2", "https", "tls"].includes(name))).toEqual([]);
    let bytes = 0;
    for (const url of files) bytes += (await stat(new URL(url))).size;
    console.log(
      `imported: ${files.length} files, ${(bytes / 1e3).toFixed(0)} kB, ${builtin.length} modules of Node's`,
    );
    expect(bytes).toBeLessThan(260_000);
  });
});

describe("on the engine", () => {
  /** Builds an image from memory and prints its name's id. */
  const program = `import { Builder, build, files } from "slipway";
async function main() {
  const builder = await Builder.ensure({ name: "packaged", driverOpts: { network: "host" } });
  const context = files({ Dockerfile: "FROM scratch\\nCOPY f /\\n", f: "from a bundle\\n" });
  const { imageId } = await build({ builder, context, tags: ["packaged:1"], load: true });
  console.log(imageId);
}
main();
`;
  const id = /^sha256:[0-9a-f]{64}$/;

  async function bundleProgram(): Promise<string> {
    const outfile = join(project, "bundle.cjs");
    await bundle({
      stdin: { contents: program, resolveDir: project, sourcefile: "program.mjs" },
      outfile,
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20",
    });
    return outfile;
  }

  test("a program that esbuild bundled into one CommonJS file builds", async () => {
    const alone = join(dir, "alone");
    await mkdir(alone);
    await copyFile(await bundleProgram(), join(alone, "bundle.cjs"));
    expect(await node(join(alone, "bundle.cjs"))).toMatch(id);
  });

  test("a program that is a single executable builds", async () => {
    const config = {
      main: await bundleProgram(),
      output: join(dir, "blob"),
      disableExperimentalSEAWarning: true,
    };
    const executable = join(dir, "program");
    await writeFile(join(dir, "sea.json"), JSON.stringify(config));
    await node("--experimental-sea-config", join(dir, "sea.json"));
    await copyFile(process.execPath, executable);
    const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
    const postject = join(checkout, "node_modules/.bin/postject");
    await run(postject, [executable, "NODE_SEA_BLOB", config.output, "--sentinel-fuse", fuse]);
    const { stdout } = await run(executable, [], { cwd: dir });
    expect(stdout.trim()).toMatch(id);
  });

  test("the examples of slipway/engine-api and slipway/buildkit run", async () => {
    await succeed(["create", "--name", "pruned", "--driver-opt", "network=host", "--bootstrap"]);
    try {
      const examples = join(checkout, "examples");
      for (const example of [
        "engine-api/list-containers",
        "engine-api/follow-events",
        "buildkit/prune-cache",
      ])
        await copyFile(join(examples, `${example}.mjs`), join(project, `${example.split("/")[1]}.mjs`));
      expect(await node("list-containers.mjs", dockerHost)).toMatch(
        /^[0-9a-f]{12} {2}running {5}\/buildx_buildkit_pruned0 {2}moby\/buildkit:/m,
      );
      await succeed(
        ["build", "--builder", "pruned", "-q", checkout, "-f", "-", "--output", "type=cacheonly"],
        {
          input: "FROM scratch\nCOPY package.json /\n",
        },
      );
      expect(await node("prune-cache.mjs", "buildx_buildkit_pruned0")).toMatch(
        /^BuildKit v\S+ holds [1-9]\d* records\nfreed [1-9]\d* bytes$/,
      );
      const following = node("follow-events.mjs", "1");
      await succeed(["create", "--name", "followed", "--driver-opt", "network=host", "--bootstrap"]);
      expect(await following).toMatch(/^\w+ \S+$/);
    } finally {
      await slipway(["rm", "pruned"]);
      await slipway(["rm", "followed"]);
    }
  });

  test("the example of slipway/testcontainers runs: an app in its own image beside a database", async () => {
    await lend(project, "testcontainers", "vitest");
    const suite = join(project, "suite");
    await cp(join(checkout, "examples/testcontainers"), suite, { recursive: true });
    // The vitest that runs this file has told its children about itself.
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST"));
    const env = {
      ...Object.fromEntries(own),
      NO_COLOR: "1",
      REGISTRY_MIRROR: registry,
      TESTCONTAINERS_REUSE_ENABLE: "false",
    };
    const vitest = join(project, "node_modules/vitest/vitest.mjs");
    const { stdout } = await run(process.execPath, [vitest, "run"], { cwd: suite, env });
    expect(stdout).toMatch(/Tests {2}2 passed/);
  });
});
