import { type Environment, parseGoBool } from "../config/index.js";
import type { BuildOptions } from "./build-options.js";
import type { Inputs } from "./inputs.js";
import { parsePolicies, unsupported } from "./parse/policy.js";

/**
 * The inputs of a build that goes without policies, or those in which a policy would still be found: rego is not evaluated here,
 * so what buildx would apply is refused.
 *
 * @throws InvalidArgumentError that names the policy.
 */
export function withoutPolicies(
  inputs: Inputs,
  options: Pick<BuildOptions, "policies">,
  env: Environment,
): Inputs {
  if (parsePolicies(options.policies ?? [])) {
    const { remotePolicy: _, archivePolicy: __, ...rest } = inputs;
    return rest;
  }
  if (inputs.policyPath !== undefined)
    throw unsupported(`the policy ${inputs.policyPath}, which buildx would apply to this build`);
  if (parseGoBool(env["BUILDX_DEFAULT_POLICY"] ?? "") === true)
    throw unsupported("BUILDX_DEFAULT_POLICY, by which buildx checks signatures of Docker's own images");
  return inputs;
}
