import { type Range, rangeText } from "./range.js";

/** An error in a definition, in the words of hashicorp/hcl: `FILE:3,1-8: SUMMARY; DETAIL`. */
export interface Diagnostic {
  readonly summary: string;
  readonly detail: string;
  /** What the error is about; errors about no place in particular have none. */
  readonly subject?: Range;
}

/** One diagnostic as a line. Without a place it starts as Go prints a pointer to nothing. */
export function diagnosticText({ summary, detail, subject }: Diagnostic): string {
  return `${subject ? rangeText(subject) : "<nil>"}: ${summary}; ${detail}`;
}

/** Several as one sentence: the first, and how many others there are. */
export function diagnosticsText(diagnostics: readonly Diagnostic[]): string {
  const [first, ...others] = diagnostics;
  if (!first) return "no diagnostics";
  return diagnosticText(first) + (others.length === 0 ? "" : `, and ${others.length} other diagnostic(s)`);
}

/** Thrown where a definition cannot be used; carries all that is wrong with it. */
export class HclError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnosticsText(diagnostics));
    this.diagnostics = diagnostics;
  }
}

/** The form in which the parts of this floor add to what went wrong so far. */
export function report(
  diagnostics: Diagnostic[],
  subject: Range | undefined,
  summary: string,
  detail: string,
): void {
  diagnostics.push(subject ? { summary, detail, subject } : { summary, detail });
}
