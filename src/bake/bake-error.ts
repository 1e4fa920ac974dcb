import { SlipwayError, type SourceLocation } from "../core/index.js";
import type { Diagnostic } from "../hcl/index.js";

/** What a {@link BakeError} says besides its message. */
export interface BakeErrorOptions {
  cause?: unknown;
  diagnostics?: readonly Diagnostic[];
  sources?: readonly SourceLocation[];
}

/** A bake definition cannot be used. `diagnostics` are all that is wrong with it, each with its place if it has one. */
export class BakeError extends SlipwayError {
  readonly diagnostics: readonly Diagnostic[];
  /** The first place in a definition where something is wrong. */
  readonly sources: readonly SourceLocation[];

  constructor(message: string, options: BakeErrorOptions = {}) {
    super("BAKE_DEFINITION", message, options);
    this.diagnostics = options.diagnostics ?? [];
    this.sources = options.sources ?? [];
  }
}
