// usage: supervise.mjs CLEAN-UP COMMAND ARGUMENT…
// Runs the command, `unshare --fork …`, passes signals on to the process it forks, and runs the script CLEAN-UP after
// it. In Node, since a shell that waits and handles a signal can lose a child's end (bash 5.2 leaves wait4() by a jump).
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";

const [cleanUp, command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: "inherit" });

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const pid of childrenOf(child.pid)) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has just ended.
      }
    }
  });
}

child.on("error", (error) => finish(125, error.message));
child.on("exit", (code, signal) => finish(code ?? 128 + os.constants.signals[signal]));

function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

function finish(status, message) {
  if (message) process.stderr.write(`testbed: ${message}\n`);
  spawnSync("bash", [cleanUp], { stdio: "inherit" });
  process.exit(status);
}
