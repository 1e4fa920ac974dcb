import { existsSync } from "node:fs";
import { join } from "node:path";
import { homeDir } from "./config-dir.js";
import type { Environment } from "./environment.js";

/** Where Docker Desktop shows a build: of a builder, `builder/node/id`, or `.imported/_/id`. */
export function desktopUrl(ref: string): string {
  return `docker-desktop://dashboard/build/${ref}`;
}

/** Whether Docker Desktop with its Builds view has been used here (buildx v0.38 util/desktop BuildBackendEnabled). */
export function hasDesktop(env: Environment): boolean {
  return existsSync(join(homeDir(env), ".docker", "desktop-build", ".lastaccess"));
}
