import { isError } from "../../core/index.js";
import { type Attachable, policyVerifier } from "../../session/index.js";
import type { SourceRules } from "../source-rules.js";
import type { TargetRun } from "../target-run.js";
import { PolicyError } from "./policy-error.js";

/**
 * Answers what the builder asks about sources: the rules of a build that is pinned, what may be fetched of the network, then the policies,
 * then which images the engine has, decide one after the other.
 */
export function sourceDecider(run: TargetRun, rules: SourceRules | undefined): Attachable {
  return policyVerifier(async (request, signal) => {
    const { network, judge, images, failures } = run;
    const byPolicies = async () => judge?.decide(request, signal);
    try {
      const pinned = rules?.decide(request);
      // What is refused or replaced is asked about no more; a replacement comes here again.
      if (pinned && pinned.action !== "allow") return pinned;
      const decision = network ? await network.decide(request, byPolicies) : await byPolicies();
      return decision ?? (await images?.decide(request)) ?? { action: "allow" };
    } catch (error) {
      // The step that asked could go on without what it asked for.
      if (error instanceof PolicyError) {
        failures.addFatal(error);
        run.stopping.abort(error);
      } else if (isError(error)) failures.add(error);
      throw error;
    }
  });
}
