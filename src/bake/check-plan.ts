import { checkTarget } from "../build/index.js";
import type { BakePlan } from "./read-bake.js";
import { type TargetPlace, toBuildOptions } from "./to-build-options.js";

/** Looks at what of a plan's targets can be known to be wrong without building them. @throws BakeError, InvalidArgumentError */
export async function checkPlan({ targets }: BakePlan, place: TargetPlace): Promise<void> {
  for (const name of [...targets.keys()].sort()) {
    const target = targets.get(name);
    if (target) await checkTarget(toBuildOptions(target, place), place.env);
  }
}
