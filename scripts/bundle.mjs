// Bundles the command into one file, dist/slipway.mjs, that needs nothing but Node beside it.
import { chmod, mkdir, rename } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const target = path.join(checkout, "dist", "slipway.mjs");
const unfinished = `${target}.${process.pid}.tmp`;

await mkdir(path.dirname(target), { recursive: true });
const options = {
  absWorkingDir: checkout,
  entryPoints: ["src/cli/main.ts"],
  outfile: unfinished,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  legalComments: "eof",
  logLevel: "error",
  banner: {
    // Dependencies in CommonJS ask for Node's modules by require(), which an ES module does not have.
    js: [
      "#!/usr/bin/env node",
      'import { createRequire as __createRequire } from "node:module";',
      "const require = __createRequire(import.meta.url);",
    ].join("\n"),
  },
};
try {
  await build(options);
} catch {
  // esbuild has said what is wrong, and where.
  process.exit(1);
}
await chmod(unfinished, 0o755);
// Renamed, so that a slipway that starts at this moment finds the old file or the new one.
await rename(unfinished, target);
