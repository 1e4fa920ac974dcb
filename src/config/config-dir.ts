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

/** The user's home directory, from the given environment first; `/`, as in containers, for a user who has none. */
export function homeDir(env: Environment): string {
  const named = env[process.platform === "win32" ? "USERPROFILE" : "HOME"];
  if (named) return named;
  try {
    return homedir() || "/";
  } catch {
    return "/"; // a user whom no passwd file knows
  }
}
