import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { Results, write } from "./results.mjs";
import { fullTable, origin, shortTable } from "./table.mjs";

const readme = fileURLToPath(new URL("../README.md", import.meta.url));
const begin = "<!-- bench: this table is made by `npm run bench` -->";
const end = "<!-- /bench -->";

/** Writes bench/results/latest.md and the table of README.md from the results that are there. */
export function render(workloads) {
  const results = Results.read({ anyMachine: true });
  if (results.rounds.length === 0) throw new Error("nothing has been measured yet: npm run bench");
  const from = origin(results);
  write(
    "latest.md",
    `# slipway against buildx\n\n${from}.\n\nRatios are medians of pairs, with the least and the most; smaller is ` +
      `better for slipway. Seconds and MB are medians, slipway / what it is compared with. How it is ` +
      `measured: docs/performance.md.\n\n${fullTable(workloads, results)}\n`,
  );
  const text = fs.readFileSync(readme, "utf8");
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`README.md has no place for the table (${begin} … ${end})`);
  fs.writeFileSync(
    readme,
    `${before}${begin}\n\n${shortTable(workloads, results)}\n\n${from}. Medians of pairs of runs.\n\n${end}${after}`,
  );
}
