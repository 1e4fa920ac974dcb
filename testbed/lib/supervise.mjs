// usage: supervise.mjs CLEAN-UP COMMAND ARGUMENT…
// Runs the command, passes signals on to it, and runs the script CLEAN-UP after it. In Node, since a shell that waits
// and handles a signal can lose a child's end (bash 5.2 leaves wait4() by a jump).
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";

const [cleanUp, command, ...args] = process.argv.slice(2);
// `unshare --fork` stays between us and the namespace's first process, and tini, which that is, has a terminal's
// foreground. Otherwise a terminal's Ctrl-C reaches the command without us.
const forks = command === "setpriv";
const child = spawn(command, args, { stdio: "inherit" });

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal === "SIGINT" && !forks && process.stdin.isTTY) return;
    for (const pid of forks ? childrenOf(child.pid) : [child.pid]) {
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
