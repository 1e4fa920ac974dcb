// usage: npm run fuzz -- [--seconds N] [--seed N] [--only NAME]   Feeds decoders (or those of NAME, such as peers) with broken forms of the seeds.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const dir = mkdtempSync(join(tmpdir(), "slipway-fuzz-"));
try {
  const outfile = join(dir, "fuzz.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("../test/fuzz/main.ts", import.meta.url))],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    outfile,
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    logLevel: "error",
  });
  const run = spawnSync(process.execPath, ["--max-old-space-size=1024", outfile, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
