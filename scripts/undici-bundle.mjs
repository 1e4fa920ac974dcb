// What the library uses of undici (the `undici.ts` of a folder), as one CommonJS file beside it: dist/undici.cjs, for both builds.
// Not undici's own files: they lead to all of its fetch by calls of `require` that are not reached here, and `node:sqlite` with
// it, which rollup and Vite load at the start and Node 20 does not have; Bun puts a stand-in without dispatchers in undici's
// place; and undici waits for the global setImmediate, which test suites fake.
import fs from "node:fs";
import path from "node:path";
import { build } from "esbuild";

const part = /^export \{ default as (\w+) \} from ("undici\/[^"]+");$/gm;

/** An esbuild plugin for the library: its modules take undici's parts from `file`, a path from where they are put. */
export function undiciFrom(file) {
  return {
    name: "undici-from",
    setup(bundler) {
      bundler.onResolve({ filter: /^undici-parts$/ }, () => ({ path: file, external: true }));
      bundler.onLoad({ filter: /[/\\]src[/\\][\w-]+[/\\]undici\.ts$/ }, ({ path: source }) => {
        const names = partsOf(source).map(({ name }) => name);
        return {
          // Vite takes a linked package's CommonJS apart itself, and gives it no default.
          contents: `import * as all from "undici-parts";\nexport const { ${names.join(", ")} } = all.default ?? all;`,
        };
      });
    },
  };
}

/** Writes the file with the parts that the `undici.ts` of these folders of src name, each loaded when first asked for. */
export async function bundleUndici(checkout, folders, outfile, options) {
  const parts = folders.flatMap((folder) => partsOf(path.join(checkout, "src", folder, "undici.ts")));
  const lazily = ({ name, file }) =>
    `Object.defineProperty(exports, "${name}", { enumerable: true, get: () => require(${file}) });`;
  await build({
    ...options,
    absWorkingDir: checkout,
    stdin: { contents: parts.map(lazily).join("\n"), resolveDir: checkout, loader: "js" },
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    legalComments: "none",
    plugins: [withoutFetch],
  });
}

/** FormData is what undici needs it for, and slipway sends none. */
const withoutFetch = {
  name: "without-fetch",
  setup(bundler) {
    const namespace = "without-fetch";
    bundler.onResolve({ filter: /\/web\/fetch(\/|$)|\/web\/fetch\/body(\.js)?$/ }, ({ path: name }) => ({
      path: name,
      namespace,
    }));
    bundler.onLoad({ filter: /.*/, namespace }, () => ({
      contents: `throw new Error("slipway comes without undici's fetch");`,
    }));
  },
};

function partsOf(source) {
  const text = fs.readFileSync(source, "utf8");
  if (
    text
      .replace(part, "")
      .replace(/^\/\/.*$/gm, "")
      .trim() !== ""
  )
    throw new Error(`${source}: more than undici's parts`);
  return [...text.matchAll(part)].map(([, name, file]) => ({ name, file }));
}
