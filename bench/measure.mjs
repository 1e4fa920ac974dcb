import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * What one run took: `wall`, `user` and `system` in seconds, `peakRss` in bytes.
 * @typedef {{ wall: number, user: number, system: number, peakRss: number }} Usage
 */

/**
 * Makes the function that runs a command and says what it took. The measuring is done by a small program of ours
 * (measure.go), since Node does not tell what its children used; Go is there wherever buildx comes from its module.
 *
 * @param {string} scratch a directory for the program and for what commands say.
 */
export function measurer(scratch) {
  const program = path.join(scratch, "measure");
  const source = fileURLToPath(new URL("measure.go", import.meta.url));
  execFileSync("go", ["build", "-o", program, source], { stdio: ["ignore", "inherit", "inherit"] });
  let runs = 0;

  /**
   * Runs a command to its end; it must succeed, within `limit` seconds. Its stdout is dropped, or read by `reader`.
   *
   * @param {readonly string[]} command
   * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, limit?: number, reader?: (stdout: import("node:stream").Readable) => Promise<void> }} [options]
   * @returns {Promise<Usage>}
   */
  return async function measure(command, { cwd, env, limit = 600, reader } = {}) {
    // Into a file: reading a pipe would take processor time from what is measured.
    const said = path.join(scratch, `said-${(runs += 1)}`);
    const stderr = fs.openSync(said, "w");
    const child = spawn(program, [`${limit}s`, ...command], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", reader ? "pipe" : "ignore", stderr, "pipe"],
    });
    fs.closeSync(stderr);
    const [report] = await Promise.all([text(child.stdio[3]), reader?.(child.stdout)]);
    const { exitCode, ...usage } = JSON.parse(report || '{"exitCode":127}');
    const words = fs.readFileSync(said, "utf8");
    fs.rmSync(said);
    if (exitCode === 0) return usage;
    throw new Error(
      `${command.join(" ")}: exit code ${exitCode}\n${words.split("\n").slice(-20).join("\n")}`,
    );
  };
}

/** Sum of what runs beside each other took, and the wall time of the slowest. */
export function together(usages) {
  const sum = (key) => usages.reduce((total, usage) => total + usage[key], 0);
  return {
    wall: Math.max(...usages.map(({ wall }) => wall)),
    user: sum("user"),
    system: sum("system"),
    peakRss: sum("peakRss"),
  };
}

async function text(stream) {
  let all = "";
  for await (const chunk of stream) all += chunk;
  return all;
}
