// usage: node scripts/test.mjs [unit] [integration] [--long]
// Runs the unit tests, then the integration tests on a live engine (testbed/with); both when none is named.
// The last line is "N passed, N failed, N skipped", over both. --long runs in full what otherwise runs shortened.
import { spawnSync } from "node:child_process";
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

const total = { passed: 0, failed: 0, skipped: 0 };
let ok = true;
const reports = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-test-"));
try {
  for (const [project, engine] of projects.flatMap((name) =>
    name === "integration" ? [[name], ...Object.keys(further).map((each) => [name, each])] : [[name]],
  )) {
    const counts = run(project, engine);
    for (const key of Object.keys(total)) total[key] += counts[key];
    if (!counts.ok) ok = false;
    if (counts.passed + counts.failed === 0) {
      console.error(`no ${project} test ran${engine ? ` on ${engine}` : ""}`);
      ok = false;
    }
  }
} finally {
  fs.rmSync(reports, { recursive: true });
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = ok && total.failed === 0 ? 0 : 1;

/** Runs the tests of one project, or with an engine those that it has to pass as well. */
function run(project, engine) {
  const report = path.join(reports, `${project}-${engine ?? "default"}.json`);
  const vitest = ["vitest", "run", "--project", project, ...(engine ? further[engine] : [])];
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const testbed = project === "integration" ? [path.join(checkout, "testbed", "with")] : [];
  if (engine) testbed.push("--engine", engine);
  const command = [...testbed, "npx", "--no-install", ...vitest, ...reporters];
  const { status } = spawnSync(command[0], command.slice(1), { cwd: checkout, env, stdio: "inherit" });
  return { ok: status === 0, ...countsOf(report) };
}

/** Counts of a vitest JSON report; a file that could not even be loaded is one failure. */
function countsOf(report) {
  if (!fs.existsSync(report)) return { passed: 0, failed: 0, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    fs.readFileSync(report, "utf8"),
  );
  const unloaded = testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + unloaded.length,
    skipped: numPendingTests + numTodoTests,
  };
}
