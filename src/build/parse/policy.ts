import { parseGoBool } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { parseFields } from "./fields.js";

/**
 * Reads the values of `--policy`. Rego policies are not evaluated here, so that all that can be said is that there are to be none:
 * `disabled=true` (buildx v0.36 util/buildflags/policy.go).
 *
 * @returns true when policies are turned off by name.
 * @throws InvalidArgumentError for a policy: a build without it must not pass for one with it.
 */
export function parsePolicies(texts: readonly string[]): boolean {
  let disabled = false;
  for (const text of texts) {
    if (text === "") throw new InvalidArgumentError("a policy is empty");
    for (const [key, value = ""] of parseFields(text)) {
      if (key !== "disabled") throw unsupported(`--policy ${text}`);
      const flag = parseGoBool(value);
      if (flag === undefined)
        throw new InvalidArgumentError(
          `invalid value ${JSON.stringify(value)} for disabled in policy ${JSON.stringify(text)}`,
        );
      disabled = flag;
    }
  }
  return disabled;
}

/** The error for a policy that buildx would apply. */
export function unsupported(what: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `${what}: rego policies are not supported; a JSON source policy in EXPERIMENTAL_BUILDKIT_SOURCE_POLICY is, ` +
      "and --policy disabled=true builds without a policy",
  );
}
