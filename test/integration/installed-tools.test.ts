import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PackedPackage, pack } from "../support/installed-package.js";
import { type RegistryProxy, registryProxy } from "../support/registry-proxy.js";
import { makeDirectory, removeDirectory, slipway, succeed } from "../support/slipway.js";

// The packed package beside packages that are installed for it: other test runners, bundlers, package managers, and packages that
// replace parts of Node. It takes minutes and hundreds of megabytes, so it runs with SLIPWAY_TEST_TOOLS=1 alone (npm run
// test:tools). The testbed has no network: scripts/with-registry.mjs lends it a way to the registry.

const wanted = process.env["SLIPWAY_TEST_TOOLS"] === "1";
const run = promisify(execFile);
const builder = "installed-tools";
let dir: string;
let packed: PackedPackage;
let registry: RegistryProxy | undefined;

if (!wanted)
  console.log("installed-tools: not run without SLIPWAY_TEST_TOOLS=1 (npm run test:tools): it takes minutes");

beforeAll(async () => {
  if (!wanted) return;
  dir = await makeDirectory("installed-tools");
  registry = await registryProxy();
  packed = await pack(dir);
  await succeed(["create", "--name", builder, "--driver-opt", "network=host", "--bootstrap"]);
}, 600_000);

afterAll(async () => {
  if (!wanted) return;
  registry?.close();
  await slipway(["rm", "--force", builder]);
  await removeDirectory(dir);
});

const call = `build({ builder: "${builder}", context: files({ Dockerfile: "FROM scratch\\nCOPY Dockerfile /\\n" }), outputs: [{ type: "tar", dest: "out.tar" }] })`;
const required = `const { build, files } = require("slipway");`;
const imported = `import { build, files } from "slipway";`;
const report = `.then(() => console.log("built"), (error) => { console.error(error); process.exitCode = 1; });`;
const testOf = (head: string) => `${head} test("builds", async () => { await ${call}; }, 60000);`;
const program = `${imported} ${call}${report}`;

interface Tool {
  name: string;
  /** What is installed beside slipway. */
  packages: string[];
  files: Record<string, string>;
  /** Run by bash in the project, one after the other. */
  commands: string[];
  /** What the last says. */
  says: RegExp;
  /** Instead of npm's installing: run by bash in the project with a way to the registry; TARBALL is the package. */
  install?: string[];
}

/** In parts, as vitest reads this file, too. */
const jsdomOf = (runner: string) => `@${runner}-environment jsdom`;
/** Jest's jsdom environment has neither (docs/in-tests.md). */
const textCoding = `const { TextDecoder, TextEncoder } = require("node:util"); Object.assign(globalThis, { TextDecoder, TextEncoder });`;
const jestPasses = /Tests: +1 passed/;
const tools: Tool[] = [
  ...["jest@29", "jest@30"].flatMap((jest): Tool[] => [
    {
      name: `${jest}, CommonJS`,
      packages: [jest],
      files: { "a.test.js": testOf(required) },
      commands: ["npx jest"],
      says: jestPasses,
    },
    {
      name: `${jest}, ES modules`,
      packages: [jest],
      files: {
        "a.test.mjs": testOf(imported),
        "jest.config.json": '{"testMatch":["**/*.test.mjs"],"transform":{}}',
      },
      commands: ["NODE_OPTIONS='--experimental-vm-modules --no-warnings' npx jest"],
      says: jestPasses,
    },
  ]),
  {
    name: "jest@30, fake timers on for all files",
    packages: ["jest@30"],
    files: {
      "a.test.js": testOf(required),
      "jest.config.json": '{"fakeTimers":{"enableGlobally":true,"doNotFake":["nextTick","queueMicrotask"]}}',
    },
    commands: ["npx jest"],
    says: jestPasses,
  },
  {
    name: "jest@30, jsdom",
    packages: ["jest@30", "jest-environment-jsdom@30"],
    files: { "a.test.js": `/** ${jsdomOf("jest")} */\n${textCoding} ${testOf(required)}` },
    commands: ["npx jest"],
    says: jestPasses,
  },
  {
    name: "jest@30, workers that each connect",
    packages: ["jest@30"],
    files: Object.fromEntries(
      ["a", "b", "c"].map((name) => [
        `${name}.test.js`,
        `const { connect, files } = require("slipway"); test("builds", async () => { const connection = await connect({ builder: "${builder}" }); try { for (let i = 0; i < 3; i++) await connection.build({ context: files({ Dockerfile: "FROM scratch\\nCOPY Dockerfile /\\n" }), outputs: [{ type: "tar", dest: "${name}.tar" }] }); } finally { await connection.close(); } }, 60000);`,
      ]),
    ),
    commands: ["npx jest --maxWorkers 3"],
    says: /3 passed/,
  },
  {
    name: "ts-jest@29",
    packages: ["jest@29", "ts-jest@29", "typescript@5.9", "@types/jest@29", "@types/node@20"],
    files: {
      "a.test.ts": testOf(imported),
      "jest.config.json": '{"preset":"ts-jest"}',
      "tsconfig.json":
        '{"compilerOptions":{"module":"node16","target":"es2022","strict":true,"types":["jest","node"]}}',
    },
    commands: ["npx jest"],
    says: jestPasses,
  },
  {
    name: "ava@6",
    packages: ["ava@6"],
    files: {
      "a.test.mjs": `${imported} import test from "ava"; test("builds", async (t) => { await ${call}; t.pass(); });`,
    },
    commands: ["npx ava --timeout 60s"],
    says: /1 test passed/,
  },
  {
    name: "mocha@11",
    packages: ["mocha@11"],
    files: { "a.test.cjs": `${required} it("builds", () => ${call}).timeout(60000);` },
    commands: ["npx mocha a.test.cjs"],
    says: /1 passing/,
  },
  {
    name: "vitest@3, jsdom",
    packages: ["vitest@3", "jsdom"],
    files: {
      "a.test.mjs": `// ${jsdomOf("vitest")}\nimport { test } from "vitest"; ${testOf(imported)}`,
    },
    commands: ["npx vitest run"],
    says: /1 passed/,
  },
  {
    name: "sinon, all that it fakes by itself",
    packages: ["sinon"],
    files: {
      "a.mjs": `import sinon from "sinon"; ${imported} sinon.useFakeTimers({ toFake: ["setTimeout","clearTimeout","setInterval","clearInterval","setImmediate","clearImmediate","Date","performance","hrtime"] }); ${call}${report}`,
    },
    commands: ["node a.mjs"],
    says: /built/,
  },
  {
    name: "rollup",
    packages: ["rollup", "@rollup/plugin-node-resolve", "@rollup/plugin-commonjs", "@rollup/plugin-json"],
    files: {
      "a.mjs": program,
      "rollup.config.mjs": `import resolve from "@rollup/plugin-node-resolve"; import cjs from "@rollup/plugin-commonjs"; import json from "@rollup/plugin-json";
export default { input: "a.mjs", output: { dir: "out", format: "es", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" }, plugins: [resolve({ exportConditions: ["node"], preferBuiltins: true }), cjs(), json()] };`,
    },
    commands: ["npx rollup -c", "rm -rf ../rolled && mv out ../rolled && node ../rolled/a.mjs"],
    says: /built/,
  },
  {
    name: "webpack",
    packages: ["webpack", "webpack-cli"],
    files: { "a.mjs": program },
    commands: ["npx webpack --target node --mode production --entry ./a.mjs -o out", "node out/main.js"],
    says: /built/,
  },
  {
    name: "rspack",
    packages: ["@rspack/core@1", "@rspack/cli@1"],
    files: {
      "a.mjs": program,
      "rspack.config.cjs": `module.exports = { mode: "production", target: "node", entry: "./a.mjs", output: { path: __dirname + "/out" } };`,
    },
    commands: ["npx rspack build", "node out/main.js"],
    says: /built/,
  },
  {
    name: "ncc",
    packages: ["@vercel/ncc"],
    files: { "a.mjs": program },
    commands: ["npx ncc build a.mjs -o out", "node out/index.mjs"],
    says: /built/,
  },
  {
    name: "tsup",
    packages: ["tsup", "typescript@5.9"],
    files: { "a.ts": program },
    commands: [
      "npx tsup a.ts --format cjs,esm --no-splitting --platform node",
      "node dist/a.js && node dist/a.mjs",
    ],
    says: /built\nbuilt/,
  },
  {
    name: "vite, SSR",
    packages: ["vite@7"],
    files: {
      "a.mjs": program,
      "vite.config.mjs": "export default { ssr: { noExternal: true, target: 'node' } };",
    },
    commands: ["npx vite build --ssr a.mjs --outDir out", "node out/a.*js"],
    says: /built/,
  },
  {
    name: "msw, undici's global dispatcher, graceful-fs, global-agent, dockerode",
    packages: ["msw", "undici@7", "graceful-fs", "global-agent@3", "dockerode"],
    files: {
      "a.mjs": `import fs from "node:fs"; import gracefulFs from "graceful-fs"; gracefulFs.gracefulify(fs);
import { bootstrap } from "global-agent"; process.env.GLOBAL_AGENT_HTTP_PROXY = "http://127.0.0.1:9"; bootstrap();
import { MockAgent, setGlobalDispatcher } from "undici"; const agent = new MockAgent(); agent.disableNetConnect(); setGlobalDispatcher(agent);
import { setupServer } from "msw/node"; setupServer().listen({ onUnhandledRequest: "error" });
import Docker from "dockerode"; new Docker();
${imported} ${call}${report}`,
    },
    commands: ["node a.mjs"],
    says: /built/,
  },
  {
    name: "mock-fs",
    packages: ["mock-fs@5"],
    files: {
      "a.cjs": `${required} const mock = require("mock-fs"); const config = process.env.BUILDX_CONFIG; mock({ [config]: mock.load(config), [process.cwd()]: mock.load(process.cwd()), "/root": {} }, { createCwd: false, createTmp: false }); build({ builder: "${builder}", context: files({ Dockerfile: "FROM scratch\\nCOPY Dockerfile /\\n" }), outputs: [{ type: "cacheonly" }] }).finally(() => mock.restore())${report}`,
    },
    commands: ["node a.cjs"],
    says: /built|slipway does not run/,
  },
  {
    name: "OpenTelemetry, all instrumentations",
    packages: ["@opentelemetry/api", "@opentelemetry/auto-instrumentations-node"],
    files: { "a.cjs": `${required} ${call}${report}` },
    commands: [
      "OTEL_TRACES_EXPORTER=none OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none node --require @opentelemetry/auto-instrumentations-node/register a.cjs",
    ],
    says: /built/,
  },
  {
    name: "dd-trace",
    packages: ["dd-trace@5"],
    files: { "a.cjs": `${required} ${call}${report}` },
    commands: [
      "DD_TRACE_STARTUP_LOGS=false DD_TRACE_AGENT_URL=http://127.0.0.1:9 timeout 60 node --require dd-trace/init a.cjs",
    ],
    says: /built/,
  },
  {
    // 12.0.2 and later need Node 22, and fail in their depths before.
    name: "testcontainers@12, the newest, on Node 20",
    packages: ["testcontainers@12"],
    files: {
      "a.mjs": `import("slipway/testcontainers").catch((error) => console.log(error.code, error.message));`,
      "b.cjs": `try { require("slipway/testcontainers"); } catch (error) { console.log(error.code, error.message); }`,
    },
    commands: ["N=$(echo $TESTBED_NODES | cut -d: -f1); $N a.mjs && $N b.cjs"],
    says: /needs Node 22\.\d+ or later, and this is 20\..*\n.*needs Node 22\.\d+ or later/,
  },
  {
    name: "testcontainers@12, the newest, on Node 24",
    packages: ["testcontainers@12"],
    files: {
      "a.mjs": `import { buildImage } from "slipway/testcontainers"; import { files } from "slipway"; import { GenericContainer } from "testcontainers";
const image = await buildImage({ builder: "${builder}", context: files({ Dockerfile: 'FROM busybox\\nRUN echo hello >/said\\nCMD ["sleep","60"]\\n' }) });
const container = await new GenericContainer(image).start(); const { output } = await container.exec(["cat", "/said"]); await container.stop(); console.log(output);`,
    },
    commands: ["$(echo $TESTBED_NODES | cut -d: -f3) a.mjs"],
    says: /hello/,
  },
  ...["typescript@5.9", "typescript@6", "typescript@7"].map((typescript): Tool => ({
    name: typescript,
    packages: [typescript, "@types/node@22"],
    files: { "a.mts": program, "b.cts": program },
    commands: [
      "npx tsc --noEmit --strict --exactOptionalPropertyTypes --skipLibCheck false --target es2022 --lib es2022 --types node --module nodenext a.mts b.cts && echo typed",
    ],
    says: /typed/,
  })),
];

// The manager itself is installed beside the project, which must not find it.
const manager = (name: string) =>
  `mkdir ../$$ && cd ../$$ && echo '{"private":true}' >package.json && npm install --no-audit --no-fund ${name} && cd - && ln -s ../$$/node_modules/.bin manager`;
const yarn = (linker: string): Tool => ({
  name: `Yarn 4, ${linker}`,
  packages: [],
  files: {
    "a.mjs": program,
    ".yarnrc.yml": `nodeLinker: ${linker}\nenableTelemetry: false\nenableGlobalCache: false\nenableImmutableInstalls: false\n`,
    "yarn.lock": "",
  },
  install: [`${manager("@yarnpkg/cli-dist@4")} && manager/yarn add slipway@file:$TARBALL`],
  commands: ["manager/yarn node a.mjs"],
  says: /built/,
});
const managers: Tool[] = [
  {
    name: "npm, --omit=optional --ignore-scripts",
    packages: [],
    files: { "a.mjs": program },
    install: ["npm install --no-audit --no-fund --omit=optional --ignore-scripts $TARBALL"],
    commands: ["node a.mjs", "npx --no-install slipway version"],
    says: /slipway/,
  },
  {
    name: "npm, workspaces",
    packages: [],
    files: { "a.mjs": program },
    install: [
      `mkdir part && mv a.mjs part && echo '{"name":"part","version":"1.0.0"}' >part/package.json`,
      `echo '{"private":true,"workspaces":["part"]}' >package.json`,
      "npm install --no-audit --no-fund --workspace part $TARBALL",
    ],
    commands: ["cd part && node a.mjs"],
    says: /built/,
  },
  {
    name: "pnpm@10",
    packages: [],
    files: { "a.mjs": program },
    install: [`${manager("pnpm@10")} && manager/pnpm add --store-dir ../$$.store $TARBALL`],
    commands: ["node a.mjs", "manager/pnpm exec slipway version"],
    says: /slipway/,
  },
  yarn("node-modules"),
  yarn("pnp"),
  {
    name: "Bun's",
    packages: [],
    files: { "a.mjs": program },
    install: ["$TESTBED_BUN add $TARBALL"],
    commands: ["node a.mjs", "$TESTBED_BUN a.mjs"],
    says: /built/,
  },
];

/** npm without network first: everything may be in its cache. */
async function npm(project: string, ...args: string[]): Promise<void> {
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--fetch-retries=0", ...args], {
    cwd: project,
    env: { ...process.env, ...registry?.env, npm_config_update_notifier: "false" },
    timeout: 240_000,
  });
}

async function shell(project: string, command: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const own = Object.entries(process.env).filter(([name]) => !/^VITEST|^NODE_ENV$/.test(name));
  const env = { ...Object.fromEntries(own), NO_COLOR: "1", FORCE_COLOR: "0", ...more };
  const { stdout, stderr } = await run("bash", ["-c", command], { cwd: project, env, timeout: 180_000 });
  return stdout + stderr;
}

describe.skipIf(!wanted)("beside other packages", () => {
  test.each([...tools, ...managers])("$name", { timeout: 400_000 }, async (tool) => {
    const { name, packages, files, install, commands, says } = tool;
    const project = join(dir, name.replace(/\W+/g, "-"));
    await mkdir(project, { recursive: true });
    await writeFile(join(project, "package.json"), '{"private":true}');
    if (!install) await npm(project, packed.tarball, ...packages);
    for (const [file, content] of Object.entries(files)) await writeFile(join(project, file), content);
    for (const command of install ?? [])
      await shell(project, command, { ...registry?.env, TARBALL: packed.tarball });
    let said = "";
    for (const command of commands) said = await shell(project, command);
    expect(said).toMatch(says);
  });
});
