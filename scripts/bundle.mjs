// Bundles the command into one file, dist/slipway.mjs, that needs nothing but Node beside it: first what starts it
// (src/cli/start.ts), then the program, as a script in a comment that the start runs with V8's code cache.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const target = path.resolve(process.argv[2] ?? path.join(checkout, "dist", "slipway.mjs"));
const { version } = JSON.parse(await readFile(path.join(checkout, "package.json"), "utf8"));

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

/** commander starts processes for commands of a kind that we do not have; the module for that takes 5 ms of each start. */
const lazyChildProcess = {
  name: "lazy-child-process",
  setup(bundler) {
    bundler.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /[/\\]commander[/\\]/.test(importer) ? { path: "child-process", namespace: "lazy" } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: "lazy" }, () => ({
      contents:
        'exports.spawn = (...given) => process.getBuiltinModule("node:child_process").spawn(...given);',
    }));
  },
};

/** Protobuf descriptors are base64, which protobuf-es decodes byte by byte where JavaScript cannot: 10 ms of each start. */
const nativeBase64 = {
  name: "native-base64",
  setup(bundler) {
    bundler.onLoad({ filter: /@bufbuild[/\\]protobuf[/\\].*base64-encoding\.js$/ }, async ({ path }) => ({
      contents: `${(await readFile(path, "utf8")).replace("export function base64Decode", "function unused")}
        export function base64Decode(text) { return new Uint8Array(Buffer.from(text, "base64")); }`,
    }));
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
    plugins: [undiciParts, lazyChildProcess, nativeBase64],
    inject: ["src/cli/light-headers.ts", "src/cli/plain-web-assembly.ts"],
    define: { SLIPWAY_VERSION: JSON.stringify(version), SLIPWAY_REVISION: JSON.stringify(revision()) },
  });
  const script = `(function(require,module){var exports=module.exports;${program}})`;
  // A comment ends at the first "*/", which stands in strings and at the end of regular expressions; the start puts it back.
  if (script.includes("*\x01/")) throw new Error("the program has what stands for the end of a comment");
  const commented = script.replaceAll("*/", "*\x01/");
  const start = await bundle({
    entryPoints: ["src/cli/start.ts"],
    format: "esm",
    minify: true,
    define: {
      SLIPWAY_CODE_KEY: JSON.stringify(createHash("sha256").update(commented).digest("hex").slice(0, 32)),
    },
  });
  const unfinished = `${target}.${process.pid}.tmp`;
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(unfinished, `#!/usr/bin/env node\n${start}\n/*slipway:program\n${commented}*/\n`);
  await chmod(unfinished, 0o755);
  // Renamed, so that a slipway that starts at this moment finds the old file or the new one.
  await rename(unfinished, target);
} catch (error) {
  // esbuild has said what is wrong, and where.
  if (!error?.errors) console.error(error);
  process.exit(1);
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
