import { basename } from "node:path";
import { forgetClosedTerminal } from "./closed-terminal.js";
import { endProcess } from "./end-process.js";
import { runCommand } from "./run-command.js";
import { watchSignals } from "./watch-signals.js";

/** Runs the command of this process, `slipway`. */
export async function main(): Promise<void> {
  forgetClosedTerminal(process);
  const signals = watchSignals(process);
  const exitCode = await runCommand(process.argv.slice(2), {
    env: process.env,
    // Node makes it when it is asked for, which takes a millisecond.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    signal: signals.signal,
    invokedAs: basename(process.argv[1] ?? ""),
  });
  signals.close();
  endProcess(process, exitCode);
}
