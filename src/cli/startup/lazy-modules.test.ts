import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { runInThisContext } from "node:vm";
import { build } from "esbuild";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { lazyFunction } from "./lazy-modules.mjs";

let root: string;
beforeEach(() => void (root = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-lazy-"))));
afterEach(() => fs.rmSync(root, { recursive: true }));

/** Bundles these files, of which main.js is the entry, with a lazy `./part.js` of the package `owner`, and gives what it exports. */
async function bundled(files: Record<string, string>, used: () => void): Promise<Record<string, unknown>> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
  const { outputFiles } = await build({
    entryPoints: [path.join(root, "main.js")],
    bundle: true,
    write: false,
    format: "cjs",
    logLevel: "silent",
    plugins: [lazyFunction("owner", "./part.js")(used)],
  });
  const module = { exports: {} };
  const run = runInThisContext(`(function(module,exports){${outputFiles[0]?.text}})`) as (
    module: object,
    exports: object,
  ) => void;
  run(module, module.exports);
  return module.exports;
}

const part = (name: string) =>
  `globalThis.lazyTest.push("${name}"); module.exports = (...given) => ["${name}", ...given];`;

test("a package's function is loaded when it is first called, that of another at once", async () => {
  const loaded: string[] = [];
  vi.stubGlobal("lazyTest", loaded);
  const used = vi.fn();
  const owner = (name: string) => ({
    [`node_modules/${name}/index.js`]: `module.exports = require("./part.js");`,
    [`node_modules/${name}/part.js`]: part(name),
  });
  const main = `exports.owner = require("owner"); exports.other = require("other");`;
  const { owner: lazy, other } = (await bundled(
    { "main.js": main, ...owner("owner"), ...owner("other") },
    used,
  )) as Record<string, (...given: unknown[]) => unknown>;
  expect(used).toHaveBeenCalledOnce();
  expect(loaded).toEqual(["other"]);
  expect(lazy?.(1, 2)).toEqual(["owner", 1, 2]);
  expect(lazy?.(3)).toEqual(["owner", 3]);
  expect(loaded).toEqual(["other", "owner"]);
  expect(other?.(4)).toEqual(["other", 4]);
  vi.unstubAllGlobals();
});
