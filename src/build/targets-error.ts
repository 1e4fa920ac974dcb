import { SlipwayError, messageOf } from "../core/index.js";

/** Several targets failed; each failure is in `failures`, by target. */
export class TargetsError extends SlipwayError {
  readonly failures: ReadonlyMap<string, Error>;

  constructor(failures: ReadonlyMap<string, Error>) {
    const all = [...failures.values()];
    super("TARGETS_FAILED", all.map(messageOf).join("\n"), { cause: all[0] });
    this.failures = failures;
  }
}
