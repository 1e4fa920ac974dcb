// usage: testbed/with --engine ENGINE node bench/rounds.mjs OPTIONS (npm run bench does that)
// Runs the workloads' rounds on the engine that is there.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { benchContext } from "./bench-context.mjs";
import { readOptions, selected } from "./options.mjs";
import { Results } from "./results.mjs";
import { workloads } from "./workloads.mjs";

const options = readOptions(process.argv.slice(2));
const engine = process.env.TESTBED_ENGINE;
const results = Results.read();
const deadline = options.budget === undefined ? Infinity : performance.now() + options.budget;
const wanted = selected(workloads, options).filter(
  ({ engines }) => options.engines.length > 0 || engines.includes(engine),
);
if (!options.resume) for (const { id } of wanted) results.forget(id, engine);

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-bench-"));
const bench = benchContext({ scratch });
const prepared = new Set();
/** Milliseconds that the last round of a workload took. */
const costs = new Map();
let turn = 0;
/** How often a run of buildx is tried. */
const mostAttempts = 5;
const stop = () => {
  bench.close();
  fs.rmSync(scratch, { recursive: true, force: true });
};
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    stop();
    process.exit(130);
  });
/** Workloads that slipway or the preparation failed in: they are left, and the others go on. */
const failed = new Set();
try {
  for (let workload = next(); workload; workload = next())
    await round(workload).catch((error) => {
      console.error(`${engine}: ${workload.id}: ${error.message}`);
      failed.add(workload.id);
      process.exitCode = 1;
    });
} finally {
  stop();
}

/** The workload with the smallest part of its rounds done; of those, the first in the table. */
function next() {
  const left = deadline - performance.now();
  const open = wanted
    .map((workload) => ({ workload, part: results.of(workload.id, engine).length / roundsOf(workload) }))
    .filter(({ workload, part }) => part < 1 && !failed.has(workload.id) && costOf(workload) < left);
  return open.sort((a, b) => a.part - b.part)[0]?.workload;
}

/** Milliseconds that the next round of a workload is likely to take. */
function costOf({ id, seconds: [preparing, round] }) {
  return (prepared.has(id) ? 0 : preparing * 1000) + (costs.get(id) ?? round * 1000);
}

function roundsOf({ repeat, mostPairs = Infinity }) {
  return Math.min(options.pairs, mostPairs) * repeat;
}

/** Runs all ways of a workload once, each time beginning with another one. */
async function round(workload) {
  const { id, ways, beside, prepare, reset, run } = workload;
  if (!prepared.has(id)) {
    console.error(`${engine}: preparing ${id}`);
    await prepare?.(bench);
    prepared.add(id);
  }
  const began = performance.now();
  const runs = {};
  const load = os.loadavg()[0];
  const single = async (way) => {
    for (let attempt = 1; !runs[way]; attempt += 1) {
      await reset?.(bench, way);
      bench.settle();
      try {
        runs[way] = await run(bench, way);
      } catch (error) {
        // buildx now and then panics when it exports many files (fsutil's rootLazyFileWriter), or stops for ever.
        if (way !== "buildx" || attempt === mostAttempts) throw error;
        console.error(`${engine}: ${id}: ${error.message.slice(0, 400)}\nand once more`);
      }
    }
    const { wall, user, system, peakRss } = runs[way];
    const text = `${wall.toFixed(2)} s, CPU ${(user + system).toFixed(2)} s, ${Math.round(peakRss / 1e6)} MB`;
    console.error(`${engine}: ${id} ${way}: ${text}`);
  };
  turn += 1;
  const order = ways.map((_, index) => ways[(index + turn) % ways.length]);
  if (beside) await Promise.all(order.map(single));
  else for (const way of order) await single(way);
  results.add(id, engine, load, runs);
  costs.set(id, performance.now() - began);
}
