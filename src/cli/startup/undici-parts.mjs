// Each part of undici's that slipway uses (`undici.ts` of a folder) is loaded when it is first asked for.
import { readFileSync } from "node:fs";
import path from "node:path";

const namespace = "undici-parts";

/** An esbuild plugin; `used()` is called where it has done something. */
export const undiciParts = (used) => ({
  name: namespace,
  setup(bundler) {
    bundler.onResolve({ filter: /^\.\/undici\.js$/ }, ({ resolveDir }) => ({
      path: path.join(resolveDir, "undici.ts"),
      namespace,
    }));
    bundler.onLoad({ filter: /.*/, namespace }, ({ path: file }) => ({
      resolveDir: path.dirname(file),
      contents: readFileSync(file, "utf8").replace(
        /^export \{ default as (\w+) \} from ("[^"]+");$/gm,
        (_, name, part) => {
          used();
          return `Object.defineProperty(exports, "${name}", { enumerable: true, get: () => require(${part}) });`;
        },
      ),
    }));
  },
});
