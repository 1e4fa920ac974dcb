// Runs the unit tests of the folders in which most faults lay, and tells how much of each of them they run: `npm run coverage`.
// With `--files` also of each file, with the lines that none runs.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Percent of lines of each folder. */
const least = 85;
const folders = ["build", "builder", "driver", "manage", "testcontainers"].map((name) => `src/${name}`);

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const summary = path.join(checkout, "build", "coverage", "coverage-summary.json");
const reporters = ["json-summary", ...(process.argv.includes("--files") ? ["text"] : [])];
fs.rmSync(summary, { force: true });
const { status } = spawnSync(
  process.execPath,
  [
    path.join("node_modules", "vitest", "vitest.mjs"),
    ...["run", "--project", "unit", "--reporter", "dot", "--coverage", "--coverage.reportOnFailure"],
    ...reporters.map((name) => `--coverage.reporter=${name}`),
    ...folders.map((folder) => `${folder}/`),
    "test/unit/public-options.test.ts",
  ],
  { cwd: checkout, stdio: "inherit" },
);
const files = fs.existsSync(summary) ? Object.entries(JSON.parse(fs.readFileSync(summary, "utf8"))) : [];
const rows = folders.map((folder) => {
  const of = files.filter(([file]) => file.startsWith(path.join(checkout, folder, path.sep)));
  const sum = (what) => of.reduce((total, [, { lines }]) => total + lines[what], 0);
  return { folder, percent: (100 * sum("covered")) / sum("total") };
});
console.log("\nLines that unit tests run:");
for (const { folder, percent } of rows) {
  const told = Number.isNaN(percent) ? "not measured" : `${percent.toFixed(1)} %`;
  console.log(
    `  ${folder.padEnd(20)} ${told.padStart(7)}  ${percent >= least ? "ok" : `LESS THAN ${least} %`}`,
  );
}
if (status !== 0) console.log("Tests failed: see above.");
process.exitCode = status === 0 && rows.every(({ percent }) => percent >= least) ? 0 : 1;
