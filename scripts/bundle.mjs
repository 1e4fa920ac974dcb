// Bundles the command into one file, dist/slipway.mjs, that needs nothing but Node beside it: first what starts it
// (src/cli/start.ts), then the program, as a script in a comment that the start runs with V8's code cache. And
// dist/command.cjs, the installed command, which starts the program of that file in less time.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { lightDescriptors } from "./light-descriptors.mjs";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const target = path.resolve(process.argv[2] ?? path.join(checkout, "dist", "slipway.mjs"));
const packageJson = JSON.parse(await readFile(path.join(checkout, "package.json"), "utf8"));
const version = {
  SLIPWAY_VERSION: JSON.stringify(packageJson.version),
  SLIPWAY_REVISION: JSON.stringify(revision()),
};

/** What slipway uses of undici, each loaded when first asked for: its index loads a browser's worth of fetch. */
const undiciParts = {
  name: "undici-parts",
  setup(bundler) {
    const lib = path.join(checkout, "node_modules", "undici", "lib");
    const parts = {
      Agent: "dispatcher/agent",
      Client: "dispatcher/client",
      Pool: "dispatcher/pool",
      ProxyAgent: "dispatcher/proxy-agent",
      buildConnector: "core/connect",
      errors: "core/errors",
    };
    bundler.onResolve({ filter: /^undici$/ }, () => ({ path: "undici", namespace: "undici-parts" }));
    bundler.onLoad({ filter: /.*/, namespace: "undici-parts" }, () => ({
      resolveDir: lib,
      contents: [
        'Object.assign(require("./dispatcher/dispatcher").prototype, require("./api"));',
        ...Object.entries(parts).map(
          ([name, file]) =>
            `Object.defineProperty(exports, "${name}", { enumerable: true, get: () => require("./${file}") });`,
        ),
      ].join("\n"),
    }));
  },
};

/**
 * What modules of Node's are replaced by, in whose code: each takes some milliseconds of every start, and is used by what the
 * command does not do, or only when something is wrong.
 */
const replacements = [
  // Commands as programs of their own.
  ["commander", "node:child_process", "exports.spawn = (...given) => real().spawn(...given);"],
  ["undici", "node:assert", "module.exports = (ok, message) => { if (!ok) real()(ok, message); };"],
  // Compression of messages, which is turned off.
  [
    "@connectrpc/connect-node",
    "node:zlib",
    "for (const name of ['gzip', 'gunzip', 'brotliCompress', 'brotliDecompress']) exports[name] = (...given) => real()[name](...given);",
  ],
];

const lazyModules = {
  name: "lazy-modules",
  setup(bundler) {
    for (const [owner, module, contents] of replacements) {
      const namespace = `lazy ${owner}`;
      const isOwned = (file) => file.includes(path.join("node_modules", owner, path.sep));
      bundler.onResolve({ filter: new RegExp(`^${module}$`) }, ({ importer }) =>
        isOwned(importer) ? { path: module, namespace } : undefined,
      );
      bundler.onLoad({ filter: /.*/, namespace }, () => ({
        contents: `const real = () => process.getBuiltinModule("${module}");\n${contents}`,
      }));
    }
  },
};

const common = {
  absWorkingDir: checkout,
  bundle: true,
  write: false,
  platform: "node",
  target: "node20.19",
  charset: "ascii",
  legalComments: "none",
  logLevel: "error",
};

try {
  const program = await bundle({
    entryPoints: ["src/cli/main.ts"],
    format: "cjs",
    minify: true,
    plugins: [undiciParts, lazyModules, lightDescriptors],
    inject: ["src/cli/light-headers.ts", "src/cli/plain-web-assembly.ts"],
    define: version,
  });
  const script = `(function(require,module){var exports=module.exports;${program}})`;
  // The start reads it byte by byte as Latin-1. esbuild escapes what is not ASCII everywhere but in tagged templates.
  const [beyond] = /.{0,60}[^\0-\x7f].{0,60}/.exec(script) ?? [];
  if (beyond) throw new Error(`the program may have ASCII only, and has: ${beyond}`);
  // A comment ends at the first "*/", which stands in strings and at the end of regular expressions; the start puts it back.
  if (script.includes("*\x01/")) throw new Error("the program has what stands for the end of a comment");
  const commented = script.replaceAll("*/", "*\x01/");
  const hash = createHash("sha256").update(script).digest("hex").slice(0, 32);
  const start = (entry, format) =>
    bundle({ entryPoints: [`src/cli/${entry}.ts`], format, minify: true, define: version });
  const folder = path.dirname(target);
  await mkdir(folder, { recursive: true });
  const file = `${await start("start-file", "esm")}\n/*slipway:program ${hash}${commented}*/`;
  await put(target, file);
  await put(path.join(folder, "command.cjs"), await start("start-command", "cjs"));
} catch (error) {
  // esbuild has said what is wrong, and where.
  if (!error?.errors) console.error(error);
  process.exit(1);
}

/** An executable. Renamed into its place, so that a slipway that starts at this moment finds the old file or the new one. */
async function put(file, program) {
  const unfinished = `${file}.${process.pid}.tmp`;
  await writeFile(unfinished, `#!/usr/bin/env node\n${program}\n`);
  await chmod(unfinished, 0o755);
  await rename(unfinished, file);
}

async function bundle(options) {
  const { outputFiles } = await build({ ...common, ...options });
  return outputFiles[0].text;
}

function revision() {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], {
      cwd: checkout,
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  } catch {
    return "";
  }
}
