import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "./environment.js";

/** Docker's configuration directory: `$DOCKER_CONFIG`, else `~/.docker`. */
export function dockerConfigDir(env: Environment): string {
  return env["DOCKER_CONFIG"] || join(homeDir(env), ".docker");
}

/** Where builders are stored, shared with buildx: `$BUILDX_CONFIG`, else `buildx` below Docker's directory. */
export function buildxConfigDir(env: Environment): string {
  return env["BUILDX_CONFIG"] || join(dockerConfigDir(env), "buildx");
}

/** The user's home directory, from the given environment first. */
export function homeDir(env: Environment): string {
  return env[process.platform === "win32" ? "USERPROFILE" : "HOME"] || homedir();
}
