import { SlipwayError } from "../core/index.js";
import { type Diagnostic, diagnosticsText } from "../hcl/index.js";

/** A bake definition cannot be used. `diagnostics` are all that is wrong with it, each with its place if it has one. */
export class BakeError extends SlipwayError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(problem: string | readonly Diagnostic[], options: { cause?: unknown } = {}) {
    super("BAKE_DEFINITION", typeof problem === "string" ? problem : diagnosticsText(problem), options);
    this.diagnostics = typeof problem === "string" ? [] : problem;
  }
}
