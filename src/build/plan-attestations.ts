import { type Environment, parseGoBool } from "../config/index.js";
import { InvalidArgumentError } from "../core/index.js";
import type { PlannedOptions } from "./planned-options.js";
import type { FrontendAttrs } from "./frontend-attrs.js";
import { parseAttestations } from "./parse/attest.js";

/** Attributes for the attestations of a build; and whether the user asked for any by name, which makes an image an index. */
export function attestationAttrs(
  options: PlannedOptions,
  env: Environment,
): { attrs: FrontendAttrs; isAsked: boolean } {
  const asked = parseAttestations(options);
  const attrs: FrontendAttrs = {};
  for (const [type, value] of asked) if (value !== null) attrs[`attest:${type}`] = value;
  if (!asked.has("provenance") && !options.reproducible && !noDefaultAttestations(env))
    attrs["attest:provenance"] = "mode=min,inline-only=true";
  return { attrs, isAsked: [...asked.values()].some((value) => value !== null) };
}

function noDefaultAttestations(env: Environment): boolean {
  const text = env["BUILDX_NO_DEFAULT_ATTESTATIONS"];
  if (text === undefined) return false;
  const flag = parseGoBool(text);
  if (flag === undefined)
    throw new InvalidArgumentError(
      `invalid BUILDX_NO_DEFAULT_ATTESTATIONS: ${JSON.stringify(text)} is not a boolean`,
    );
  return flag;
}
