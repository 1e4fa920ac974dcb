// usage: npm run build && testbed/with node bench/startup.mjs [PAIRS]
// What each start-up trick (src/cli/startup) buys: a cached small build with all of them beside one without, on each Node of
// the testbed. Prints milliseconds saved, as medians over the pairs: processor time first, since other work on the machine
// changes it less. Half a minute a pair.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { tricks } from "../src/cli/startup/tricks.mjs";
import { measurer } from "./measure.mjs";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const pairs = Number(process.argv[2] ?? 20);
const nodes = process.env.TESTBED_NODES.split(":");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-startup-"));
const measure = measurer(scratch);
/** Runs in which the code cache is written. */
const warmUps = 4;

try {
  const context = path.join(scratch, "context");
  fs.mkdirSync(context);
  fs.writeFileSync(path.join(context, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  const all = path.join(checkout, "dist", "command.cjs");
  execFileSync("slipway", [
    "create",
    "--name",
    "bench-startup",
    "--driver-opt",
    "network=host",
    "--bootstrap",
  ]);
  const variants = {
    all: { file: all },
    "command-file": { file: path.join(checkout, "dist", "slipway.mjs") },
    // Not absolute: no cache is kept there.
    "code-cache": { file: all, cache: "none" },
  };
  for (const name of Object.keys(tricks)) variants[name] = { file: bundled(name) };

  for (const node of nodes) {
    const build = ({ file, cache }, name) =>
      measure(
        [node, file, "build", "--builder", "bench-startup", "--progress", "quiet"].concat([
          "-o",
          "type=cacheonly",
          context,
        ]),
        { env: { XDG_CACHE_HOME: cache ?? path.join(scratch, `cache-${name}`) } },
      );
    const taken = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
    for (let round = -warmUps; round < pairs; round++) {
      for (const [name, variant] of shuffled(Object.entries(variants))) {
        const usage = await build(variant, name);
        if (round >= 0) taken[name].push(usage);
      }
    }
    print(path.basename(path.dirname(path.dirname(node))), taken);
  }
} finally {
  execFileSync("slipway", ["rm", "--force", "bench-startup"]);
  fs.rmSync(scratch, { recursive: true });
}

/** The command without one trick. */
function bundled(name) {
  const file = path.join(scratch, name, "slipway.mjs");
  execFileSync(process.execPath, [path.join(checkout, "scripts", "bundle.mjs"), file, "--without", name]);
  return path.join(scratch, name, "command.cjs");
}

function print(node, { all, ...others }) {
  const cpu = ({ user, system }) => user + system;
  const wall = (usage) => usage.wall;
  console.log(`${node}: ${ms(median(all.map(cpu)))} of processor time, ${ms(median(all.map(wall)))} in all`);
  for (const [name, usages] of Object.entries(others)) {
    const saved = (of) => ms(median(usages.map((usage, round) => of(usage) - of(all[round]))));
    console.log(`  ${name.padEnd(20)} ${saved(cpu).padStart(8)} ${saved(wall).padStart(8)}`);
  }
}

function ms(seconds) {
  return `${(seconds * 1e3).toFixed(1)} ms`;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

function shuffled(list) {
  return list.toSorted(() => Math.random() - 0.5);
}
