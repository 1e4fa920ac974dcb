import { AskedNames } from "./asked-names.js";
import { type BuildResult, callResult, imageIdOf, metadataOf } from "./build-result.js";
import { nameExported } from "./content-stores.js";
import { describeImage } from "./describe-image.js";
import type { OpenedTargets } from "./export-targets.js";
import { checkResponse } from "./exporter-response.js";
import type { SolvePlan } from "./solve-plan.js";
import { readProvenance } from "./provenance.js";
import { pushMoby } from "./push-from-engine.js";
import type { SolveOutcome } from "./solve.js";
import type { TargetRun } from "./target-run.js";

/** What {@link targetResult} works with besides the solve's outcome. */
export interface ResultContext {
  plan: SolvePlan;
  run: TargetRun;
  opened: OpenedTargets;
  /** What is pushed goes to the registry from the engine that built it. */
  enginePushes: boolean;
  /** The build's reference. */
  ref: string;
}

/**
 * What a solve has come to: its answer checked, what came out named and pushed, and told as a result.
 *
 * @throws what failed on this side; BuilderClaimError for an answer that cannot be; EngineError
 */
export async function targetResult(outcome: SolveOutcome, context: ResultContext): Promise<BuildResult> {
  const { plan, run, opened, ref } = context;
  const { node, resources, signal } = run;
  // A success is the builder's claim: what did not arrive here, or not whole, is no result.
  if (run.failures.fatal[0]) throw run.failures.fatal[0];
  const response = await settledResponse(outcome, context);
  const imageId = imageIdOf(response, opened.preferManifest);
  const digest = response.get("containerimage.digest");
  const inlineMessage = response.get("frontend.result.inlinemessage");
  const provenance = await provenanceOf(plan, run);
  return {
    ref,
    ...(imageId !== undefined && { imageId }),
    ...(digest !== undefined && { digest }),
    names: response.get("image.name")?.split(",") ?? [],
    platforms:
      resources.describe && digest !== undefined ? await describeImage(node.client, digest, signal) : [],
    warnings: run.warnings,
    ...(run.network && { network: run.network.report() }),
    ...(run.judge && { judged: run.judge.report() }),
    metadata: metadataOf(response, provenance),
    ...(inlineMessage && { inlineMessage }),
    ...(plan.call && { call: callResult(plan.call, outcome.metadata) }),
  };
}

/** The builder's answer, after all that has still to be done by it. */
async function settledResponse(
  outcome: SolveOutcome,
  { plan, run, opened, enginePushes, ref }: ResultContext,
): Promise<Map<string, string>> {
  const { exports, seen, preferManifest } = opened;
  const response = new Map(outcome.response);
  // What engines with containerd call an image without a name is none (moby builder/builder-next/exporter).
  if (response.get("image.name")?.startsWith("moby-dangling@")) response.delete("image.name");
  const names = exports.map(({ attrs }) => attrs["name"] ?? "").join(",");
  checkResponse(response, { asked: new AskedNames(names), seen });
  await nameExported(plan, response, run);
  const { engine } = run.node;
  if (engine && enginePushes) {
    const { resources, sink, signal } = run;
    const { env, dockerConfig } = resources;
    const { credentials } = plan.serves;
    const context = {
      engine: resources.engine(engine.endpoint),
      credentials,
      env,
      dockerConfig,
      sink,
      signal,
    };
    await pushMoby(response, exports, context);
  }
  if (preferManifest) response.delete("containerimage.config.digest");
  if (!plan.call) response.set("buildx.build.ref", ref);
  else for (const [key, value] of outcome.metadata) response.set(key, Buffer.from(value).toString("utf8"));
  return response;
}

async function provenanceOf({ metadataProvenance: mode, ref }: SolvePlan, run: TargetRun) {
  if (mode === undefined) return [];
  const { node, sink, signal } = run;
  return readProvenance({ client: node.client, ref, mode, sink, signal });
}
