import { SlipwayError } from "../core/index.js";
import { type Privilege, privilegeText } from "./privilege.js";

/** Targets do what was not allowed; `missing` is what they would have to be allowed. */
export class PrivilegesError extends SlipwayError {
  readonly missing: readonly Privilege[];

  constructor(missing: readonly Privilege[]) {
    const flags = missing.map((one) => `--allow=${privilegeText(one)}`).join(" ");
    super(
      "BAKE_PRIVILEGES",
      `additional privileges requested: pass ${JSON.stringify(flags)} to grant requested privileges`,
    );
    this.missing = missing;
  }
}
