// usage: node scripts/test.mjs [unit] [integration] [--long] [--nodes]
// Runs the unit tests, then the integration tests on a live engine (testbed/with); both when none is named. All of them run on
// the machine's own Node; on the other supported lines of Node, the unit tests that Node can make a difference to, and a few
// integration tests. --nodes runs there all unit tests, and a selection of the integration tests of every floor.
// Files with a failure run once more at the end, alone, unless they are many. What then passes is told as UNSTABLE with what it
// failed with: it is a fault, of the test or of slipway, that the next change has to mend.
// The last line is "N passed, N failed, N skipped", over all. --long runs in full what otherwise runs shortened.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const named = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const projects = named.length > 0 ? named : ["unit", "integration"];
const env = { ...process.env, ...(process.argv.includes("--long") && { SLIPWAY_TEST_LONG: "1" }) };

const integrationTest = (name) => `test/integration/${name}.test.ts`;

/** What depends on the engine runs again on others: the newest, those of ordinary users, one that keeps its images in containerd, and Podman. */
const further = {
  "docker-containerd": ["load", "engine-images", "driver-docker", "drivers"].map(integrationTest),
  "docker-29": ["engines", "load", "engine-images", "page", "driver-docker", "drivers", "replay-engine"].map(
    integrationTest,
  ),
  "rootless-docker": ["engines", "driver-docker"].map(integrationTest),
  podman: ["engines", "driver-docker"].map(integrationTest),
  "rootless-podman": ["engines"].map(integrationTest),
};
/** The version line of the Node that runs this, which all integration tests run on. */
const [ownLine] = process.versions.node.split(".");
const everyNode = process.argv.includes("--nodes");
/**
 * What runs on the other lines: a little, beside what runtimes.test.ts does on each; a little more on the one that most people
 * install. With --nodes something of every floor.
 */
const few = ["library", "session"];
const selections = { 24: ["page", ...few] };
const selectionOfAll = [
  "contexts",
  "faults",
  "library",
  "load",
  "outputs",
  "package",
  "page",
  "session",
  "terminal",
  "ways",
];
/** Unit tests that take more than half of the time: how much slipway keeps and computes of what strangers send. Node is not what decides it. */
const ownNodeOnly = ["attacks", "linear-parsers", "linear-regexps"].map(
  (name) => `test/unit/${name}.test.ts`,
);
/** The integration tests run in so many parts, two at a time, each with an engine, registry and builders of its own. */
const parts = 4;
const partsOfSelection = everyNode ? 2 : 1;
const atOnce = 2;

/** More files than this that fail have a common cause. */
const maxRunAgain = 4;

const total = { passed: 0, failed: 0, skipped: 0 };
/** Each failed file with its job and what it failed with, told again at the end: the output of jobs that run at once is long and mixed. */
const failures = [];
/** Errors beside the tests, told at the end as well: no second run takes them back. */
const unhandled = [];
let ok = true;
const reports = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-test-"));
try {
  // Once, not by each testbed and each test that needs it, some of which run what others would be writing.
  if (projects.includes("integration") && (await finished(["npm", "run", "-s", "build"])) === 0)
    env.SLIPWAY_TEST_BUILT = "1";
  const nodes = nodesByLine();
  for (const project of projects) {
    const jobs = project === "integration" ? integrationJobs([...nodes.keys()]) : unitJobs(nodes);
    const next = jobs.values();
    const work = async () => {
      for (const job of next) await run(project, job);
    };
    // Unit tests use all cores by themselves.
    await Promise.all(Array.from({ length: project === "integration" ? atOnce : 1 }, work));
  }
  await runFailedAgain();
} finally {
  fs.rmSync(reports, { recursive: true });
}
for (const { job, messages, passedAgain } of failures)
  for (const message of messages)
    console.log(`${passedAgain ? "UNSTABLE (passed when run again)" : "FAILED"} in ${job.name}: ${message}`);
for (const text of unhandled) console.log(text);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = ok && total.failed === 0 ? 0 : 1;

/** Node in every line, from the testbed's cache. */
function nodesByLine() {
  const output = execFileSync(path.join(checkout, "testbed", "nodes"), {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lineOf = (node) => /node-(\d+)\./.exec(node)[1];
  return new Map(
    output
      .trim()
      .split("\n")
      .map((node) => [lineOf(node), node]),
  );
}

function unitJobs(nodes) {
  const others = [...nodes].filter(([line]) => line !== ownLine);
  const jobs = others.map(([line, node]) => {
    const PATH = `${path.dirname(node)}${path.delimiter}${env.PATH}`;
    const vitest = everyNode ? [] : ownNodeOnly.flatMap((file) => ["--exclude", file]);
    return { name: `unit on Node ${line}`, vitest, env: { ...env, PATH } };
  });
  return [{ name: "unit", vitest: [] }, ...jobs];
}

/** What takes longest comes first, so that both testbeds end at about the same time. */
function integrationJobs(lines) {
  const all = shards(parts).map((shard) => ({
    name: `integration ${shard}`,
    testbed: [],
    vitest: [`--shard=${shard}`],
  }));
  const engines = Object.entries(further).map(([engine, files]) => ({
    name: `integration on ${engine}`,
    testbed: ["--engine", engine],
    vitest: files,
  }));
  const others = lines
    .filter((line) => line !== ownLine)
    .flatMap((line) => {
      const files = everyNode ? selectionOfAll : (selections[line] ?? few);
      return shards(partsOfSelection).map((shard) => ({
        name: `integration selection ${shard} on Node ${line}`,
        testbed: ["--node", line],
        vitest: [...files.map((name) => `test/integration/${name}.test.ts`), `--shard=${shard}`],
      }));
    });
  return [...all, ...others, ...engines, ...kubernetesJobs()];
}

/**
 * The driver kubernetes, on a node of Kubernetes beside the engine. Building that takes a quarter of an hour on two cores, so it
 * is left to whoever asks for it: `testbed/with --kubernetes true` fills the cache.
 */
function kubernetesJobs() {
  const cache = env.SLIPWAY_TESTBED_CACHE ?? "/var/cache/slipway-testbed";
  const names = fs.existsSync(cache) ? fs.readdirSync(cache) : [];
  if (!names.some((name) => /^kubernetes-v[\d.]+$/.test(name))) {
    console.error(
      "the driver kubernetes is not tested: no Kubernetes in the cache; testbed/with --kubernetes true builds it",
    );
    return [];
  }
  const vitest = [integrationTest("driver-kubernetes"), integrationTest("drivers")];
  return [{ name: "integration on Kubernetes", testbed: ["--kubernetes"], vitest }];
}

function shards(count) {
  return Array.from({ length: count }, (_, index) => `${index + 1}/${count}`);
}

/** Runs tests of a project, and adds what became of them to the total. */
async function run(project, job) {
  const began = performance.now();
  const { status, counts } = await outcomeOf(project, job);
  for (const [file, messages] of counts.failedFiles) failures.push({ project, job, file, messages });
  for (const key of Object.keys(total)) total[key] += counts[key];
  if (status !== 0 && counts.failed === 0) ok = false;
  if (counts.unhandled.length > 0) {
    ok = false;
    unhandled.push(...counts.unhandled.map((text) => `UNHANDLED in ${job.name}: ${text.slice(0, 2_000)}`));
  }
  if (counts.passed + counts.failed === 0) {
    console.error(`no test ran: ${job.name}`);
    ok = false;
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  console.error(`${job.name}: ${counts.passed} passed, ${counts.failed} failed, ${seconds} s`);
}

/** Runs each failed file once more, with nothing beside it. */
async function runFailedAgain() {
  if (failures.length > maxRunAgain) return;
  for (const failure of failures) {
    const { project, job, file, messages } = failure;
    const again = { ...job, name: `${job.name}, ${path.basename(file)} again`, vitest: [file] };
    const { status, counts } = await outcomeOf(project, again);
    failure.passedAgain = status === 0 && counts.passed > 0;
    if (!failure.passedAgain) continue;
    total.failed -= messages.length;
    total.passed += messages.length;
  }
}

/** Runs tests, in a testbed if the job has one. Gives the exit code and what the report says. */
async function outcomeOf(project, { name, testbed, vitest, env: own = env }) {
  const report = path.join(reports, `${name.replaceAll(/[^\w.]+/g, "-")}.json`);
  const errors = `${report}.unhandled`;
  const reporters = ["default", "json", path.join(checkout, "scripts", "unhandled-reporter.mjs")]
    .map((reporter) => `--reporter=${reporter}`)
    .concat(`--outputFile.json=${report}`);
  const runner = path.join("node_modules", "vitest", "vitest.mjs");
  const command = ["node", runner, "run", "--project", project, ...vitest, ...reporters];
  if (testbed) command.unshift(path.join(checkout, "testbed", "with"), ...testbed);
  const status = await finished(command, { ...own, SLIPWAY_TEST_UNHANDLED: errors });
  const unhandled = fs.existsSync(errors) ? JSON.parse(fs.readFileSync(errors, "utf8")) : [];
  return { status, counts: { ...countsOf(report), unhandled } };
}

/** Runs a command to its end, and gives its exit code. */
async function finished([command, ...args], own = env) {
  const [status] = await once(spawn(command, args, { cwd: checkout, env: own, stdio: "inherit" }), "exit");
  return status;
}

/**
 * Counts of a vitest JSON report, and what each failed file says; a file that could not be loaded, or made ready for its tests,
 * is one failure.
 */
function countsOf(report) {
  if (!fs.existsSync(report)) return { passed: 0, failed: 0, skipped: 0, failedFiles: new Map() };
  const { numPassedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    fs.readFileSync(report, "utf8"),
  );
  const failedFiles = new Map();
  for (const { name, status, message, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0 && status !== "failed") continue;
    const file = path.relative(checkout, name);
    const told = failed.map(
      (test) => `${file} > ${test.fullName}\n${test.failureMessages.join("\n").slice(0, 2_000)}`,
    );
    failedFiles.set(file, told.length > 0 ? told : [`${file}\n${message}`]);
  }
  return {
    failedFiles,
    passed: numPassedTests,
    failed: [...failedFiles.values()].flat().length,
    skipped: numPendingTests + numTodoTests,
  };
}
