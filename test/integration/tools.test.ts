import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PackedPackage, install, lend, pack } from "../support/installed-package.js";
import { makeDirectory, removeDirectory, slipway, succeed } from "../support/slipway.js";

// The packed package where other programs load it: test runners, bundlers, flags of Node's, packages that replace parts of it.
// What needs packages from the registry runs with SLIPWAY_TEST_TOOLS=1 (npm run test:tools); the testbed has no network, so they
// come from npm's cache.

const run = promisify(execFile);
const builder = "tools";
let dir: string;
let project: string;
let packed: PackedPackage;

beforeAll(async () => {
  dir = await makeDirectory("tools");
  project = join(dir, "project");
  packed = await pack(dir);
  await install(packed, project);
  await lend(project, "vitest", "typescript", "@types/node", "undici-types");
  await succeed(["create", "--name", builder, "--driver-opt", "network=host", "--bootstrap"]);
}, 600_000);

afterAll(async () => {
  await slipway(["rm", builder]);
  await removeDirectory(dir);
});

/** A build from a directory with a file that takes several packets, and into another: reads, writes and sends at once. */
const steps = `
  const fs = require("node:fs"), path = require("node:path"), os = require("node:os");
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-tools-"));
  fs.mkdirSync(path.join(dir, "c"));
  fs.writeFileSync(path.join(dir, "c/Dockerfile"), "FROM scratch\\nCOPY big /\\n");
  fs.writeFileSync(path.join(dir, "c/big"), Buffer.alloc(2000000));
  const common = { builder: "${builder}", context: path.join(dir, "c") };
  try {
    await build({ ...common, outputs: [{ type: "local", dest: path.join(dir, "out") }] });
    await build({ ...common, outputs: [{ type: "tar", dest: path.join(dir, "out.tar") }] });
    if (fs.statSync(path.join(dir, "out/big")).size !== 2000000) throw new Error("not all was exported");
    if (fs.statSync(path.join(dir, "out.tar")).size < 2000000) throw new Error("not all was exported");
  } finally {
    fs.rmSync(dir, { recursive: true });
  }`;
const esm = `import { createRequire } from "node:module"; import { build } from "slipway"; const require = createRequire(import.meta.url);`;
const cjs = `const { build } = require("slipway");`;
const main = `(async () => {${steps}
})().then(() => console.log("built"), (error) => { console.error(error); process.exitCode = 1; });`;

// The vitest that runs this file has told its children about itself.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^VITEST|^NODE_ENV$/.test(name)),
);

/** Runs a program in a folder; a warning of Node's is a failure, too. Gives what it prints. */
async function node(args: readonly string[], cwd = project, extra: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, args, {
    cwd,
    env: { ...env, ...extra },
    timeout: 170_000,
  });
  const warnings = stderr
    .split("\n")
    .filter((line) => /Warning:/.test(line) && !/ExperimentalWarning/.test(line));
  expect(warnings).toEqual([]);
  return `${stdout}${stderr}`;
}

async function put(name: string, content: string, folder = project): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

describe("Node itself", () => {
  test.each([
    ["--frozen-intrinsics"],
    ["--disallow-code-generation-from-strings"],
    ["--max-old-space-size=64"],
    ["--throw-deprecation"],
  ])("builds with %s", async (flag) => {
    await put("esm.mjs", `${esm}${main}`);
    expect(await node([flag, "esm.mjs"])).toContain("built");
  });

  test("builds where Node's permission model forbids fchmod, fsync and running programs", async () => {
    await put("esm.mjs", `${esm}${main}`);
    const major = Number(process.versions.node.split(".")[0]);
    const flags = [
      major < 22 ? "--experimental-permission" : "--permission",
      "--allow-fs-read=*",
      "--allow-fs-write=*",
    ];
    if (major >= 25) flags.push("--allow-net");
    expect(await node([...flags, "esm.mjs"])).toContain("built");
  });

  test("what is required builds, without a warning, and knows errors and builders of what is imported", async () => {
    await put("cjs.cjs", `${cjs}${main}`);
    expect(await node(["cjs.cjs"])).toContain("built");
    await put(
      "both.cjs",
      `(async () => {
        const required = require("slipway"), imported = await import("slipway");
        const error = await imported.Builder.open({ name: "none-of-that-name" }).catch((error) => error);
        const builder = await imported.Builder.open({ name: "${builder}" });
        const context = required.files({ Dockerfile: "FROM scratch\\nCOPY Dockerfile /\\n" });
        await required.build({ builder, context, outputs: [{ type: "cacheonly" }] });
        console.log(required.build !== imported.build, required.isSlipwayError(error, "STORE_NO_BUILDER"));
      })();`,
    );
    expect(await node(["both.cjs"])).toBe("true true\n");
  });

  test("two copies that put a cache into one directory at once leave an index that has both", async () => {
    await put(
      "index.cjs",
      `(async () => {
        const required = require("slipway"), imported = await import("slipway");
        const dest = ${JSON.stringify(join(dir, "shared-cache"))};
        await Promise.all([required, imported].map((copy, index) => copy.build({
          builder: "${builder}",
          context: copy.files({ Dockerfile: "FROM scratch\\nCOPY f /\\n", f: String(index) }),
          cacheTo: [{ type: "local", attrs: { dest, tag: "t" + index } }],
          outputs: [{ type: "cacheonly" }],
        })));
      })();`,
    );
    await node(["index.cjs"]);
    const index = JSON.parse(await readFile(join(dir, "shared-cache/index.json"), "utf8")) as {
      manifests: unknown[];
    };
    expect(index.manifests).toHaveLength(2);
  });

  test("builds in a worker thread, and in the processes of a cluster side by side", async () => {
    await put("esm.mjs", `${esm}${main}`);
    await put(
      "worker.mjs",
      `import { Worker } from "node:worker_threads"; new Worker(new URL("./esm.mjs", import.meta.url)).on("exit", (code) => { process.exitCode = code; });`,
    );
    expect(await node(["worker.mjs"])).toContain("built");
    await put(
      "cluster.mjs",
      `import cluster from "node:cluster"; if (cluster.isPrimary) { cluster.fork(); cluster.fork(); } else { await import("./esm.mjs"); cluster.worker.disconnect(); }`,
    );
    expect((await node(["cluster.mjs"])).match(/built/g)).toHaveLength(2);
  });

  test("builds in node:test", async () => {
    await put(
      "node.test.mjs",
      `${esm} import { test } from "node:test"; test("builds", async () => { ${steps} });`,
    );
    expect(await node(["--test", "node.test.mjs"])).toMatch(/pass 1/);
  });
});

describe("vitest", () => {
  test.each([["threads"], ["forks"], ["vmThreads"], ["vmForks"]])(
    "builds in pool %s, with fake timers",
    async (pool) => {
      const folder = join(project, "vitest");
      await put(
        "a.test.mjs",
        `${esm} import { test, vi } from "vitest"; test("builds", async () => { ${steps} }, 60000);
test("builds with fake timers", async () => { vi.useFakeTimers(); ${steps} }, 60000);
// Calls with bodies: what is a Uint8Array of the realm, and what of Node's.
test("builds by exec", async () => { process.env.SLIPWAY_CONNECT = "exec"; ${steps} }, 60000);`,
        folder,
      );
      const vitest = join(project, "node_modules/vitest/vitest.mjs");
      const said = await node([vitest, "run", "--pool", pool, "--root", folder], folder, { NO_COLOR: "1" });
      expect(said).toMatch(/Tests {2}3 passed/);
      expect(said).not.toContain("garbage collection");
    },
  );
});

describe("esbuild", () => {
  test.each([["cjs"], ["esm"]] as const)("a bundle of format %s builds", async (format) => {
    const alone = join(dir, `esbuild-${format}`);
    await mkdir(alone);
    const outfile = join(project, `bundle.${format === "cjs" ? "cjs" : "mjs"}`);
    await bundle({
      stdin: {
        contents: `${format === "cjs" ? 'import { build } from "slipway";' : esm}${main}`,
        resolveDir: project,
      },
      outfile,
      bundle: true,
      platform: "node",
      format,
      target: "node20",
      // Packages of CommonJS ask for modules of Node's in a bundle of ES modules, too (esbuild's own advice).
      ...(format === "esm" && {
        banner: {
          js: 'import { createRequire as own } from "node:module"; globalThis.require ??= own(import.meta.url);',
        },
      }),
    });
    const moved = join(alone, `bundle.${format === "cjs" ? "cjs" : "mjs"}`);
    await copyFile(outfile, moved);
    expect(await node([moved], alone)).toContain("built");
  });
});

describe("TypeScript", () => {
  const source = `import { BuildError, Builder, build, connect, files, parseOutput, type AddressTls, type BuildResult, type CredentialsCallback, type Environment, type MetadataProvenance } from "slipway";
import { BuildkitClient, control } from "slipway/buildkit";
import { EngineClient } from "slipway/engine-api";
import { display } from "slipway/progress";
import { collectReport } from "slipway/report";
import { Session } from "slipway/session";

export async function main(): Promise<BuildResult | number> {
  try {
    return await build({
      context: files({ Dockerfile: "FROM scratch\\nCOPY f /\\n", f: "1" }),
      outputs: [parseOutput("type=tar,dest=out.tar")],
      onEvent: display("plain", process.stderr),
    });
  } catch (error) {
    if (error instanceof BuildError) return error.step?.exitCode ?? 1;
    throw error;
  }
}
export const client: (host: string) => EngineClient = (host) => EngineClient.open({ host });
export const uses = [Builder, connect, BuildkitClient, Session, collectReport, control.SolveRequestSchema];
export type Uses = [AddressTls, CredentialsCallback, Environment, MetadataProvenance];
export const info = (client: BuildkitClient) => client.control.info({}, { timeoutMs: 1000 });
// @ts-expect-error the option is of another type
export const wrong = build({ context: 1 });
`;
  test.each([
    // An ES module and one of CommonJS, which must not be told to use `import()` (TS1479).
    ["node16", ["--skipLibCheck", "false", "--module", "node16", "main.mts", "main.cts"]],
    // The library's declarations are the same as for the ES module.
    ["bundler", ["--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler", "main.mts"]],
  ])("takes the types strictly, without the browser's: %s", async (_name, flags) => {
    for (const name of ["main.mts", "main.cts"]) await put(name, source);
    const strict = ["--noEmit", "--strict", "--exactOptionalPropertyTypes"];
    const libraries = ["--target", "es2022", "--lib", "es2022", "--types", "node"];
    await run(
      process.execPath,
      [join(project, "node_modules/typescript/bin/tsc"), ...strict, ...libraries, ...flags],
      {
        cwd: project,
      },
    ).catch((error: { stdout?: string }) => expect.fail(error.stdout ?? "tsc did not run"));
  });
});
