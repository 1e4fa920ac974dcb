import type { BuildkitClient, sourcepolicy } from "../buildkit/index.js";
import { InvalidArgumentError } from "../core/index.js";
import type { PolicyDecision, PolicyRequest } from "../session/index.js";
import { isOlderThan, saysRelease } from "./daemon-version.js";
import type { SolvePlan } from "./solve-plan.js";

/** What every source of a build must be. What they do not know they refuse. */
export interface SourceRules {
  /** Decides on a source, for a daemon that asks (BuildKit 0.27 and later). */
  decide(request: PolicyRequest): PolicyDecision;
  /** A source takes the place of another, which only a daemon that asks can be told. */
  readonly replaces: boolean;
  /** The same as rules that an older daemon applies itself. @throws what such a daemon cannot do, by name */
  policy(): sourcepolicy.Policy;
}

/** The first BuildKit that asks the session about sources (buildx v0.38 build/opt.go, CapSourcePolicySession). */
const asking = { major: 0, minor: 27 };

/** The first whose source policies are known to hold; before 0.11 there were none, and they were left out without a word. */
const obeying = { major: 0, minor: 12 };

/** The plan with its rules in the form that the daemon knows. */
export async function withSourceRules(
  plan: SolvePlan,
  client: BuildkitClient,
  signal: AbortSignal | undefined,
): Promise<SolvePlan> {
  const { sourceRules } = plan;
  if (!sourceRules) return plan;
  // One that does not say how old it is gets what all of them know.
  const isKnown = (await saysRelease(client, signal)) || sourceRules.replaces;
  if (isKnown && !(await isOlderThan(client, asking, signal))) return { ...plan, policySession: true };
  if (await isOlderThan(client, obeying, signal))
    throw new InvalidArgumentError(
      "this BuildKit cannot pin sources: that needs 0.12 or later; --replay-mode=frontend, or the mode frontend, resolves them anew",
    );
  if (plan.sourcePolicy)
    throw new InvalidArgumentError(
      "the source policy of EXPERIMENTAL_BUILDKIT_SOURCE_POLICY cannot be used beside pinned sources by this BuildKit: that needs 0.27 or later",
    );
  return { ...plan, sourcePolicy: sourceRules.policy() };
}
