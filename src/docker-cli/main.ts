import { endProcess, forgetClosedTerminal } from "../cli/index.js";
import { relaySignals } from "./relay-signals.js";
import { runDocker } from "./run-docker.js";

/** Runs the command of this process, `slipway-docker`. */
export async function main(): Promise<void> {
  forgetClosedTerminal(process);
  const signals = relaySignals(process);
  const exitCode = await runDocker(process.argv.slice(2), {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: signals.signal,
    takeSignals: signals.take,
  });
  signals.close();
  endProcess(process, exitCode);
}
