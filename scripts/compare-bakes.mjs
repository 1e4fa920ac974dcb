// Compares what `bake --print` and `bake --list` of slipway and of buildx make of definitions:
//   testbed/with node scripts/compare-bakes.mjs DIRECTORY|FILE…
// Looks for *.hcl, *bake*.json and Compose files below directories. Nothing is fetched and nothing built. Where both programs
// refuse, their words are compared. Ends with 1 when something differs.
import { execFile } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const buildx = process.env.TESTBED_BUILDX;
if (!buildx) throw new Error("TESTBED_BUILDX is not set: run this inside testbed/with");
const slipway = fileURLToPath(new URL("../dist/slipway.mjs", import.meta.url));
const isDefinition = /\.hcl$|bake[^/]*\.json$|compose[^/]*\.ya?ml$/;

/** Definitions at a path. */
function definitionsAt(at) {
  if (statSync(at).isFile()) return [at];
  const entries = readdirSync(at, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && isDefinition.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** What a program prints, or its error; times are no difference. */
function said(program, args, cwd) {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const text = error ? stderr.slice(stderr.lastIndexOf("ERROR: ")).trim() : stdout;
      resolve(text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b20\d{12}\b/g, "TIME"));
    });
  });
}

/** Instances of a matrix with several axes come in a random order from buildx, and no list is null. */
function normalized(text) {
  if (text.trim() === "null") return "[]\n";
  if (!text.startsWith("{")) return text;
  const definition = JSON.parse(text);
  for (const group of Object.values(definition.group ?? {}))
    group.targets = [...(group.targets ?? [])].sort((a, b) => (a < b ? -1 : 1));
  return JSON.stringify(definition, undefined, 1);
}

function firstDifference(ours, theirs) {
  const [mine, other] = [ours.split("\n"), theirs.split("\n")];
  const at = mine.findIndex((line, index) => line !== other[index]);
  return `  buildx:  ${(other[at] ?? "").slice(0, 300)}\n  slipway: ${(mine[at] ?? "").slice(0, 300)}`;
}

let [equal, refused, differing] = [0, 0, 0];
for (const file of process.argv.slice(2).flatMap(definitionsAt)) {
  const [cwd, name] = [path.dirname(file), path.basename(file)];
  for (const args of [
    ["--print", "*"],
    ["--print"],
    ["--list", "type=targets,format=json"],
    ["--list", "type=variables,format=json"],
  ]) {
    const all = ["bake", "-f", name, ...args];
    const [ours, theirs] = (
      await Promise.all([said(process.execPath, [slipway, ...all], cwd), said(buildx, all, cwd)])
    ).map(normalized);
    if (ours !== theirs) {
      differing++;
      console.log(`${file} ${args.join(" ")}\n${firstDifference(ours, theirs)}`);
    } else if (ours.startsWith("ERROR")) refused++;
    else equal++;
  }
}
console.log(`${equal} equal, ${refused} refused in the same words, ${differing} different`);
process.exitCode = differing > 0 ? 1 : 0;
