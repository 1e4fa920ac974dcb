import { SlipwayError } from "../../core/index.js";

/** A policy of the caller's failed: it threw, did not answer, or gave what is no verdict. */
export class PolicyError extends SlipwayError {
  /** What it was asked about, without user and password. */
  readonly source: string;

  constructor(source: string, message: string, cause?: unknown) {
    super("POLICY_FAILED", message, cause === undefined ? {} : { cause });
    this.source = source;
  }
}
