/** What came out of one look. */
export interface Finding {
  /** What was looked at: `engine`, `clock`, … */
  what: string;
  status: "ok" | "note" | "problem";
  /** A sentence. */
  text: string;
  /** What to do about it. */
  hint?: string;
}

export const ok = (what: string, text: string): Finding => ({ what, status: "ok", text });
export const note = (what: string, text: string, hint?: string): Finding => ({
  what,
  status: "note",
  text,
  ...(hint !== undefined && { hint }),
});
export const problem = (what: string, text: string, hint: string): Finding => ({
  what,
  status: "problem",
  text,
  hint,
});
