import type { BuildkitClient } from "../../buildkit/index.js";
import { isSlipwayError } from "../../core/index.js";
import { type BuildFacts, type StepFacts, argumentsOf } from "./build-facts.js";

/** Records of the builder's history that are looked at, the newest first. */
const mostRecords = 20;

/** How a build of the same is known among the builder's records. */
export type IsSame = (ref: string) => Promise<boolean>;

/**
 * The last build of the same that the builder's own history has, as far as that tells: steps and arguments, not the files of its
 * contexts. Undefined when there is none, and of daemons that keep no history.
 */
export async function recordedBuild(
  client: BuildkitClient,
  { isSame, signal }: { isSame: IsSame; signal: AbortSignal | undefined },
): Promise<BuildFacts | undefined> {
  const records: { ref: string; at: bigint; attrs: Readonly<Record<string, string>> }[] = [];
  try {
    for await (const { record } of client.control.listenBuildHistory(
      { EarlyExit: true },
      { ...(signal && { signal }) },
    ))
      if (record?.CompletedAt && !record.error)
        records.push({ ref: record.Ref, at: record.CompletedAt.seconds, attrs: record.FrontendAttrs });
  } catch (error) {
    // An old daemon keeps none.
    if (!isSlipwayError(error, "BUILDKIT_STATUS")) throw error;
    return undefined;
  }
  records.sort((a, b) => Number(b.at - a.at));
  for (const { ref, attrs } of records.slice(0, mostRecords)) {
    if (!(await isSame(ref))) continue;
    const steps = await stepsOf(client, ref, signal);
    return { ref, steps, args: argumentsOf(attrs), dockerfile: undefined, files: undefined, noCache: [] };
  }
  return undefined;
}

async function stepsOf(
  client: BuildkitClient,
  Ref: string,
  signal: AbortSignal | undefined,
): Promise<StepFacts[]> {
  const steps = new Map<string, StepFacts>();
  for await (const { vertexes } of client.control.status({ Ref }, { ...(signal && { signal }) }))
    for (const { digest, name, cached, inputs } of vertexes)
      steps.set(digest, { digest, name, cached, inputs });
  return [...steps.values()];
}
