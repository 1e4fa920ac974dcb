import type { Environment } from "../config/index.js";
import type { TargetOptions } from "./build-many.js";

const looked = ["platforms", "secrets", "ssh", "outputs", "annotations", "ulimits", "resources"] as const;

/**
 * Looks at what of a target can be known to be wrong without building it: platforms, secrets, ssh agents, outputs, annotations, and
 * limits of steps, in this order (buildx v0.38 bake/bake.go toBuildOpt, which `--print` goes through as well).
 *
 * @throws InvalidArgumentError
 */
export async function checkTarget(target: TargetOptions, env: Environment): Promise<void> {
  if (looked.every((name) => Object.keys(target[name] ?? {}).length === 0)) return;
  // Loaded where there is something to look at.
  const { lookAtTarget } = await import("./look-at-target.js");
  await lookAtTarget(target, env);
}
