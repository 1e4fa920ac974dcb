import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("results", import.meta.url));
const file = path.join(folder, "latest.json");

/**
 * What all runs took, kept in bench/results/latest.json. Each round is written when it is done.
 *
 * A round has its workload and engine, when and of which slipway (`bundle`: hash of the command) it was, and by way what it
 * took.
 *
 * @typedef {object} Round
 * @property {string} workload
 * @property {string} engine
 * @property {string} date
 * @property {string} bundle
 * @property {number} load the machine's load average (1 minute) before it
 * @property {Record<string, import("./measure.mjs").Usage>} runs
 */
export class Results {
  /** The machine that they are of. */
  machine = describeMachine();
  /** @type {Round[]} */
  rounds = [];

  /** Reads what is there. Of another machine, it is of no use beside this one's. */
  static read({ anyMachine = false } = {}) {
    const results = new Results();
    if (!fs.existsSync(file)) return results;
    const { machine, rounds } = JSON.parse(fs.readFileSync(file, "utf8"));
    if (!anyMachine && JSON.stringify(machine) !== JSON.stringify(results.machine)) return results;
    return Object.assign(results, { machine, rounds });
  }

  /** Rounds of a workload on an engine. */
  of(workload, engine) {
    return this.rounds.filter((round) => round.workload === workload && round.engine === engine);
  }

  /** Forgets the rounds of a workload on an engine. */
  forget(workload, engine) {
    this.rounds = this.rounds.filter((round) => round.workload !== workload || round.engine !== engine);
  }

  /** Adds a round and writes all of them. */
  add(workload, engine, load, runs) {
    this.rounds.push({ workload, engine, date: new Date().toISOString(), bundle: bundleHash(), load, runs });
    const { machine } = this;
    const rounds = this.rounds.map((round) => `    ${JSON.stringify(round)}`).join(",\n");
    write("latest.json", `{\n  "machine": ${JSON.stringify(machine)},\n  "rounds": [\n${rounds}\n  ]\n}\n`);
  }
}

/** Writes a file of bench/results, all or nothing. */
export function write(name, text) {
  fs.mkdirSync(folder, { recursive: true });
  const target = path.join(folder, name);
  fs.writeFileSync(`${target}.tmp`, text);
  fs.renameSync(`${target}.tmp`, target);
}

function describeMachine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? "unknown",
    cores: cpus.length,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    system: `${os.type()} ${os.release()}`,
    node: process.version,
    buildx: testbedVersion("buildx"),
    buildkit: testbedVersion("buildkit"),
  };
}

/** The version of a peer, where the testbed has it. */
function testbedVersion(name) {
  const file = fileURLToPath(new URL("../testbed/lib/common.sh", import.meta.url));
  return new RegExp(`^${name}_version=(.*)$`, "m").exec(fs.readFileSync(file, "utf8"))?.[1] ?? "unknown";
}

function bundleHash() {
  const bundle = fileURLToPath(new URL("../dist/slipway.mjs", import.meta.url));
  return createHash("sha256").update(fs.readFileSync(bundle)).digest("hex").slice(0, 12);
}
