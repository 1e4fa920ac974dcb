// Makes the library, dist/lib: a module for each of package.json's entries, chunks that they share or load when first used, and
// the declarations that belong to them. Dependencies stay what they are, but undici (dist/undici.cjs). And dist/cjs, what `require`
// gets: the same modules as CommonJS. Node could require those of dist/lib, but warns of it on 20.19, and Jest's default mode
// cannot.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { directImports } from "../src/cli/startup/direct-imports.mjs";
import { bundleUndici, undiciFrom } from "./undici-bundle.mjs";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(checkout, "dist");
const { exports } = JSON.parse(fs.readFileSync(path.join(checkout, "package.json"), "utf8"));
/** `index`, `engine-api/index`, …: where each entry is in src and in dist/lib. */
const entries = Object.values(exports).flatMap((entry) =>
  entry.default ? [entry.default.slice("./dist/lib/".length, -".js".length)] : [],
);

const unfinished = path.join(dist, `lib.${process.pid}.tmp`);
const unfinishedUndici = path.join(dist, `undici.${process.pid}.tmp`);
const unfinishedCommon = path.join(dist, `cjs.${process.pid}.tmp`);
const common = {
  target: "node20.19",
  charset: "utf8",
  logLevel: "error",
  inject: ["src/core/dispose-symbols.ts", "src/core/real-timers.ts"],
  define: {
    "Symbol.asyncDispose": "slipwayAsyncDispose",
    "Symbol.dispose": "slipwayDispose",
    "performance.now": "slipwayNow",
  },
};

try {
  await build({
    ...common,
    absWorkingDir: checkout,
    entryPoints: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
    outdir: unfinished,
    bundle: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    packages: "external",
    platform: "node",
    format: "esm",
    plugins: [undiciFrom("../../undici.cjs"), directImports(), besideEntry("testcontainers/check-node")],
  });
  await build({
    ...common,
    absWorkingDir: checkout,
    entryPoints: ["src/testcontainers/check-node.ts"],
    outfile: path.join(unfinished, "testcontainers/check-node.js"),
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    plugins: [directImports()],
  });
  await bundleUndici(checkout, ["registry"], unfinishedUndici, common);
  const tsc = path.join(checkout, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", unfinished], {
    cwd: checkout,
    stdio: "inherit",
  });
  keepOnly(declarationsOf(entries), unfinished);
  fs.cpSync(unfinished, unfinishedCommon, { recursive: true });
  await toCommonJs(unfinishedCommon);
  for (const name of fs.readdirSync(unfinished).filter((name) => name.endsWith(".js")))
    if (fs.readFileSync(path.join(unfinished, name), "utf8").includes("undici.cjs"))
      throw new Error(`${name} takes undici from where chunks would`);
  putInPlace(unfinishedUndici, "undici.cjs");
  putInPlace(unfinished, "lib");
  putInPlace(unfinishedCommon, "cjs");
} catch (error) {
  // esbuild and tsc have said what is wrong, and where.
  if (!error?.errors && error?.status === undefined) console.error(error);
  process.exitCode = 1;
} finally {
  for (const unput of [unfinished, unfinishedCommon, unfinishedUndici])
    fs.rmSync(unput, { recursive: true, force: true });
}

/** An esbuild plugin: a module that runs before what its importer imports stays a file of its own. */
function besideEntry(module) {
  const name = path.basename(module);
  return {
    name: `${name} beside`,
    setup(bundler) {
      bundler.onResolve({ filter: new RegExp(`^\\./${name}\\.js$`) }, () => ({
        path: `./${name}.js`,
        external: true,
        sideEffects: true,
      }));
    },
  };
}

/** A file or folder. In one go, so that a program that imports the library at this moment finds the old one or the new one. */
function putInPlace(made, name) {
  const target = path.join(dist, name);
  const old = `${target}.${process.pid}.old`;
  if (fs.existsSync(target)) fs.renameSync(target, old);
  fs.renameSync(made, target);
  fs.rmSync(old, { recursive: true, force: true });
}

/** Turns the modules in a folder into CommonJS, where they are. Declarations say by the folder's package.json what they are of. */
async function toCommonJs(folder) {
  const names = fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js"));
  for (const name of names) {
    const file = path.join(folder, name);
    const { code } = await transform(fs.readFileSync(file, "utf8"), {
      // As Node has it: what a CommonJS module exports is the default.
      sourcefile: `${name.slice(0, -".js".length)}.mjs`,
      format: "cjs",
      platform: "node",
      target: "node20.19",
      charset: "utf8",
      define: { "import.meta.url": "__filename" },
      // Jest has no import() for CommonJS modules.
      supported: { "dynamic-import": false },
    });
    fs.writeFileSync(file, code);
  }
  // smol-toml's types are those of its ES module alone.
  for (const name of fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".d.ts"))) {
    const file = path.join(folder, name);
    const text = fs.readFileSync(file, "utf8");
    const said = text.replace(
      /^(import type .* from "smol-toml");$/gm,
      '$1 with { "resolution-mode": "import" };',
    );
    if (said !== text) fs.writeFileSync(file, said);
  }
  fs.writeFileSync(
    path.join(folder, "package.json"),
    `${JSON.stringify({ type: "commonjs", sideEffects: false })}\n`,
  );
}

/** The declaration files that those of the entries refer to, and what these refer to. */
function declarationsOf(entries) {
  const found = new Set();
  const visit = (file) => {
    if (found.has(file)) return;
    found.add(file);
    const text = fs.readFileSync(file, "utf8");
    for (const [, specifier] of text.matchAll(/(?:\bfrom|\bimport\(|\bimport)\s*"(\.[^"]+)\.js"/g))
      visit(path.join(path.dirname(file), `${specifier}.d.ts`));
  };
  for (const entry of entries) visit(path.join(unfinished, `${entry}.d.ts`));
  return found;
}

function keepOnly(declarations, folder) {
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    const file = path.join(folder, name);
    if (name.endsWith(".d.ts") && !declarations.has(file)) fs.rmSync(file);
  }
  const emptied = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of emptied.filter((entry) => entry.isDirectory()).reverse()) {
    const directory = path.join(entry.parentPath ?? entry.path, entry.name);
    if (fs.readdirSync(directory).length === 0) fs.rmdirSync(directory);
  }
}
