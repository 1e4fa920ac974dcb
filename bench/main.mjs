// usage: npm run bench [-- OPTIONS] [WORKLOAD…]; --help says more
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readOptions, selected, usage } from "./options.mjs";
import { render } from "./render.mjs";
import { workloads } from "./workloads.mjs";

/** Variables that make Node read more when it starts, which is none of slipway's doing. */
const unset = ["-u", "NODE_EXTRA_CA_CERTS", "-u", "NODE_OPTIONS"];
const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}

function main(argv) {
  const options = readOptions(argv);
  if (options.help) return console.log(usage);
  if (options.list) return workloads.forEach(({ id, title }) => console.log(`${id.padEnd(16)} ${title}`));
  if (!options.render) measure(argv, options);
  if (!options.measureOnly) render(workloads);
}

/** On each engine what the table wants of it; a time budget is shared by how much there is to run. */
function measure(argv, options) {
  const chosen = selected(workloads, options);
  const engines = options.engines.length > 0 ? options.engines : ["docker", "docker-containerd"];
  run("npm", "run", "-s", "build");
  const until = Date.now() + (options.budget ?? 0);
  for (const [index, engine] of engines.entries()) {
    const rest = engines.slice(index).map((name) => secondsOf(chosen, name, options));
    if (rest[0] === 0) continue;
    const args = [...argv];
    if (options.budget !== undefined) {
      const share = ((until - Date.now()) * rest[0]) / rest.reduce((sum, seconds) => sum + seconds, 0);
      args.push("--budget", String(Math.max(share / 60_000, 0.1)));
    }
    run("env", ...unset, "testbed/with", "--engine", engine, "node", "bench/rounds.mjs", ...args);
  }
}

/** What a first round of everything takes on an engine. */
function secondsOf(chosen, engine, { engines }) {
  return chosen
    .filter((workload) => engines.length > 0 || workload.engines.includes(engine))
    .reduce((sum, { seconds: [preparing, round] }) => sum + preparing + round, 0);
}

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: checkout, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${status}`);
}
