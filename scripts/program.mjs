// The commands' program for one file: all of src/cli and src/docker-cli, and what it needs of other packages, as one CommonJS function.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { lightDescriptors } from "./light-descriptors.mjs";

export const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const packageJson = JSON.parse(readFileSync(path.join(checkout, "package.json"), "utf8"));
const version = {
  SLIPWAY_VERSION: JSON.stringify(packageJson.version),
  SLIPWAY_REVISION: JSON.stringify(revision()),
};

/** What slipway uses of undici (`undici.ts` of a folder), each part loaded when first asked for: they take some milliseconds of a start. */
const undiciParts = {
  name: "undici-parts",
  setup(bundler) {
    const namespace = "undici-parts";
    bundler.onResolve({ filter: /^\.\/undici\.js$/ }, ({ resolveDir }) => ({
      path: path.join(resolveDir, "undici.ts"),
      namespace,
    }));
    bundler.onLoad({ filter: /.*/, namespace }, ({ path: file }) => ({
      resolveDir: path.dirname(file),
      contents: readFileSync(file, "utf8").replace(
        /^export \{ default as (\w+) \} from ("[^"]+");$/gm,
        (_, name, part) =>
          `Object.defineProperty(exports, "${name}", { enumerable: true, get: () => require(${part}) });`,
      ),
    }));
  },
};

/**
 * What modules of Node's are replaced by, in whose code: each takes some milliseconds of every start, and is used by what the
 * command does not do, or only when something is wrong.
 */
const replacements = [
  ["src", "node:child_process", lazily("spawn", "execFile")],
  ["src", "node:dns/promises", lazily("lookup")],
  // Commands as programs of their own.
  ["commander", "node:child_process", lazily("spawn")],
  ["undici", "node:assert", "module.exports = (ok, message) => { if (!ok) real()(ok, message); };"],
  // Compression of messages, which is turned off.
  ["@connectrpc/connect-node", "node:zlib", lazily("gzip", "gunzip", "brotliCompress", "brotliDecompress")],
];

/** Functions of a module that is loaded when the first of them is called. */
function lazily(...names) {
  return names.map((name) => `exports.${name} = (...given) => real().${name}(...given);`).join("\n");
}

const lazyModules = {
  name: "lazy-modules",
  setup(bundler) {
    for (const [owner, module, contents] of replacements) {
      const namespace = `lazy ${owner}`;
      const isOwned = (file) =>
        owner === "src"
          ? file.startsWith(path.join(checkout, "src", path.sep))
          : file.includes(path.join("node_modules", owner, path.sep));
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
  minify: true,
  metafile: true,
  write: false,
  platform: "node",
  target: "node20.19",
  charset: "ascii",
  legalComments: "none",
  logLevel: "error",
};

/** What the program exports: its two commands, of which the second is loaded when it is called. */
const faces = `
export { main as slipway } from "./src/cli/main.ts";
export const docker = async () => (await import("./src/docker-cli/main.ts")).main();
`;

/**
 * The program: its text, a function of `require` and `module` that exports the commands; a hash of that, for V8's code cache; and
 * the files that it was made of.
 */
export async function bundleProgram() {
  const { text: body, inputs } = await bundle({
    stdin: { contents: faces, resolveDir: checkout, sourcefile: "faces.js" },
    format: "cjs",
    plugins: [undiciParts, lazyModules, lightDescriptors],
    // Optional, and taken from where slipway is installed: a script of its own has `require` alone.
    external: ["@kubernetes/client-node"],
    supported: { "dynamic-import": false },
    inject: ["src/cli/light-headers.ts", "src/cli/plain-web-assembly.ts", "src/cli/light-clock.ts"],
    define: { ...version, "performance.now": "lightNow" },
  });
  const text = `(function(require,module){var exports=module.exports;${body}})`;
  // The start reads it byte by byte as Latin-1. esbuild escapes what is not ASCII everywhere but in tagged templates.
  const [beyond] = /.{0,60}[^\0-\x7f].{0,60}/.exec(text) ?? [];
  if (beyond) throw new Error(`the program may have ASCII only, and has: ${beyond}`);
  return { text, hash: createHash("sha256").update(text).digest("hex").slice(0, 32), inputs };
}

/** What starts the program: src/cli/`name`.ts. */
export async function bundleStart(name, format, define = {}) {
  const entryPoints = [`src/cli/${name}.ts`];
  const { text } = await bundle({ entryPoints, format, define: { ...version, ...define } });
  return text;
}

async function bundle(options) {
  const { outputFiles, metafile } = await build({ ...common, ...options });
  const [{ inputs }] = Object.values(metafile.outputs);
  const contained = Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0);
  return { text: outputFiles[0].text, inputs: contained };
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
