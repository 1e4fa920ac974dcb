import type { BuildResult } from "../../build/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { type ProvenanceDescription, describeTarget } from "./provenance-description.js";
import type { DescribeProvenanceOptions, ReplayOptions } from "./replay-options.js";
import { type ReplayPlan, planOf } from "./replay-plan.js";
import { type ReplayTarget, openSubjectStores, readTarget } from "./replay-target.js";
import { checkTarget, runReplay } from "./run-replay.js";
import { parseMaterialSpecs } from "./material-specs.js";

/** See `replay()`. */
export async function replaySubject(input: string, options: ReplayOptions): Promise<BuildResult> {
  return runReplay(await checkedTarget(input, options), options);
}

/** See `planReplay()`. */
export async function planSubject(input: string, options: ReplayOptions): Promise<ReplayPlan> {
  await parseMaterialSpecs(options.materials ?? []);
  const target = await checkedTarget(input, options);
  return { subjects: [planOf(target, options)] };
}

/** See `describeProvenance()`. */
export async function describeSubject(
  input: string,
  options: DescribeProvenanceOptions,
): Promise<ProvenanceDescription> {
  const { env, ...rest } = options;
  const ready = { ...rest, ...(env && { env }) };
  await using stores = await openSubjectStores(ready);
  return describeTarget(await readTarget(input, ready, stores));
}

async function checkedTarget(input: string, options: ReplayOptions): Promise<ReplayTarget> {
  // One build is of one platform (buildx v0.38 commands/replay/build.go).
  if (options.platform?.split(",").some((word) => word.trim() === "all"))
    throw new InvalidArgumentError(
      '--platform "all" is not supported by replay build; select a single platform',
    );
  await using stores = await openSubjectStores(options);
  const target = await readTarget(input, options, stores);
  checkTarget(target, options);
  return target;
}
