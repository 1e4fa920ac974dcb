// usage: node scripts/test.mjs [unit] [integration] [--long]
// Runs the unit tests, then the integration tests on a live engine (testbed/with); both when none is named.
// The last line is "N passed, N failed, N skipped", over both. --long runs in full what otherwise runs shortened.
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const named = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const projects = named.length > 0 ? named : ["unit", "integration"];
const env = process.argv.includes("--long") ? { ...process.env, SLIPWAY_TEST_LONG: "1" } : process.env;

/** What depends on the engine runs again on others: one that keeps its images in containerd, and Podman. */
const further = {
  "docker-containerd": ["test/integration/load.test.ts", "test/integration/engine-images.test.ts"],
  podman: ["test/integration/engines.test.ts"],
};
/** The integration tests run in so many parts, two at a time, each with an engine, registry and builders of its own. */
const parts = 4;
const atOnce = 2;

const total = { passed: 0, failed: 0, skipped: 0 };
let ok = true;
const reports = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-test-"));
try {
  // Once, before several testbeds find it missing at the same time.
  if (projects.includes("integration")) await finished(["npm", "run", "-s", "build"]);
  for (const project of projects) {
    const jobs = project === "integration" ? integrationJobs() : [{ name: project, vitest: [] }];
    const next = jobs.values();
    const work = async () => {
      for (const job of next) await run(project, job);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }
} finally {
  fs.rmSync(reports, { recursive: true });
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = ok && total.failed === 0 ? 0 : 1;

function integrationJobs() {
  const own = Array.from({ length: parts }, (_, index) => ({
    name: `integration ${index + 1}/${parts}`,
    testbed: [],
    vitest: [`--shard=${index + 1}/${parts}`],
  }));
  const others = Object.entries(further).map(([engine, files]) => ({
    name: `integration on ${engine}`,
    testbed: ["--engine", engine],
    vitest: files,
  }));
  return [...own, ...others];
}

/** Runs tests of a project, in a testbed if the job has one, and adds what became of them to the total. */
async function run(project, { name, testbed, vitest }) {
  const report = path.join(reports, `${name.replaceAll("/", "-of-")}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const command = ["npx", "--no-install", "vitest", "run", "--project", project, ...vitest, ...reporters];
  if (testbed) command.unshift(path.join(checkout, "testbed", "with"), ...testbed);
  const status = await finished(command);
  const counts = countsOf(report);
  for (const key of Object.keys(total)) total[key] += counts[key];
  if (status !== 0) ok = false;
  if (counts.passed + counts.failed === 0) {
    console.error(`no test ran: ${name}`);
    ok = false;
  }
}

/** Runs a command to its end, and gives its exit code. */
async function finished([command, ...args]) {
  const [status] = await once(spawn(command, args, { cwd: checkout, env, stdio: "inherit" }), "exit");
  return status;
}

/** Counts of a vitest JSON report; a file that could not be loaded, or made ready for its tests, is one failure. */
function countsOf(report) {
  if (!fs.existsSync(report)) return { passed: 0, failed: 0, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    fs.readFileSync(report, "utf8"),
  );
  const unready = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + unready.length,
    skipped: numPendingTests + numTodoTests,
  };
}
