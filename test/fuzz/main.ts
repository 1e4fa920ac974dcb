// Run by scripts/fuzz.mjs.
import { isSlipwayError } from "../../src/core/index.js";
import { Random, mutate } from "./mutate.js";
import { peers } from "./peers.js";
import { type Target, targets } from "./targets.js";

/** A decoder that takes longer for 64 KiB hangs somebody's build, in ms. */
const mostMilliseconds = 2000;
/** Inputs of one decoder before the next has its turn. */
const turn = 200;
/** Of one peer, to which a connection is made for each. */
const peerTurn = 20;

const options = new Map<string, string>();
for (let at = 2; at < process.argv.length; at += 2)
  options.set((process.argv[at] ?? "").replace(/^--/, ""), process.argv[at + 1] ?? "");
const seconds = Number(options.get("seconds") ?? 60);
const seed = Number(options.get("seed") ?? Date.now() % 1_000_000);
const only = options.get("only");
const chosen = Object.entries({ ...targets, ...peers }).filter(
  ([name]) => only === undefined || name === only || name.startsWith(`${only}:`),
);
process.stdout.write(`seed ${seed}, ${chosen.length} targets, ${seconds} s\n`);

const random = new Random(seed);
const end = performance.now() + seconds * 1000;
let inputs = 0;
while (performance.now() < end) {
  for (const [name, target] of chosen) {
    const most = name in peers ? peerTurn : turn;
    for (let count = 0; count < most && performance.now() < end; count++, inputs++) {
      const bytes = mutate(random, target.seeds);
      const problem = await problemOf(target, bytes);
      if (problem === undefined) continue;
      process.stdout.write(
        `${name}: ${problem}\n  input ${inputs} of seed ${seed}, base64: ${bytes.toString("base64")}\n`,
      );
      process.exit(1);
    }
  }
}
process.stdout.write(
  `${inputs} inputs, nothing found; ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB\n`,
);

async function problemOf({ run, throws = [] }: Target, bytes: Buffer): Promise<string | undefined> {
  const started = performance.now();
  try {
    await run(Buffer.from(bytes));
  } catch (error) {
    const isKnown = isSlipwayError(error) || throws.includes((error as Error).name);
    if (!isKnown) return `throws ${(error as Error).stack ?? String(error)}`;
  }
  const took = performance.now() - started;
  return took > mostMilliseconds ? `takes ${Math.round(took)} ms` : undefined;
}
