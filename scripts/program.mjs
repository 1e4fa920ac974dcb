// The commands' program for one file: all of src/cli and src/docker-cli, and what it needs of other packages, as one CommonJS function.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { startupOptions } from "../src/cli/startup/tricks.mjs";

export const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const packageJson = JSON.parse(readFileSync(path.join(checkout, "package.json"), "utf8"));
const version = {
  SLIPWAY_VERSION: JSON.stringify(packageJson.version),
  SLIPWAY_REVISION: JSON.stringify(revision()),
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
 * The program: its text, a function of `require`, `module` and `slipwayImport` that exports the commands; a hash of that, for V8's code cache; and
 * the files that it was made of. `without` names start-up tricks that are left out.
 */
export async function bundleProgram({ without = [] } = {}) {
  const { options, rewrite, checkUse } = startupOptions(without);
  const { text: readable, inputs } = await bundle({
    stdin: { contents: faces, resolveDir: checkout, sourcefile: "faces.js" },
    format: "cjs",
    // Optional, and taken from where slipway is installed: a script of its own has `require` alone.
    external: ["@kubernetes/client-node"],
    supported: { "dynamic-import": false },
    ...options,
    define: { ...version, ...options.define },
    // The rest of it, white space, is taken out at last.
    minify: false,
    minifyIdentifiers: true,
    minifySyntax: true,
  });
  const { code: body } = await transform(rewrite(readable), {
    minifyWhitespace: true,
    minifySyntax: true,
    charset: "ascii",
    legalComments: "none",
  });
  checkUse(inputs.map((file) => path.resolve(checkout, file)));
  const text = `(function(require,module,slipwayImport){var exports=module.exports;${body}})`;
  // The start reads it byte by byte as Latin-1. esbuild escapes what is not ASCII everywhere but in tagged templates.
  const [beyond] = /.{0,60}[^\0-\x7f].{0,60}/.exec(text) ?? [];
  if (beyond) throw new Error(`the program may have ASCII only, and has: ${beyond}`);
  return { text, hash: createHash("sha256").update(text).digest("hex").slice(0, 32), inputs };
}

/** The GitHub action, as one CommonJS file. */
export async function bundleAction() {
  const { text } = await bundle({
    entryPoints: ["src/action/main.ts"],
    format: "cjs",
    external: ["@kubernetes/client-node"],
    target: "node24",
    define: version,
  });
  return text;
}

/** What starts the program: src/cli/startup/`name`.ts. */
export async function bundleStart(name, format, define = {}) {
  const entryPoints = [`src/cli/startup/${name}.ts`];
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
