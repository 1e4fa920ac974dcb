import { InvalidArgumentError } from "../../core/index.js";

/** The first release that gives reasons and takes other sources: 0.26 has the session, but fails on these (BK solver/llbsolver/policy.go). */
export const firstPolicySession = { major: 0, minor: 27 };

/** A daemon that would ask nobody, and fetch what was never judged. */
export function policyTooOld(): InvalidArgumentError {
  return new InvalidArgumentError(
    "this BuildKit cannot ask about the sources of a build: policy (--policy-module) needs v0.27 or later",
  );
}
