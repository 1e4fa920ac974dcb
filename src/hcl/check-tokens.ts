import { type Diagnostic, report } from "./diagnostic.js";
import type { Token } from "./token.js";

const bitwise: Record<string, string> = {
  "&": ' Did you mean boolean AND ("&&")?',
  "|": ' Did you mean boolean OR ("||")?',
  "~": ' Did you mean boolean NOT ("!")?',
  "^": "",
};

/** Refuses characters that the language has no use for, each kind only a few times. hclsyntax/token.go. */
export function checkTokens(tokens: readonly Token[], diagnostics: Diagnostic[]): void {
  const told = new Map<string, number>();
  const count = (what: string) => {
    const before = told.get(what) ?? 0;
    told.set(what, before + 1);
    return before;
  };
  for (const { kind, text, range } of tokens) {
    const invalid = (detail: string) => report(diagnostics, range, "Invalid character", detail);
    const hint = bitwise[kind];
    if (hint !== undefined && count("bitwise") < 4) {
      report(diagnostics, range, "Unsupported operator", `Bitwise operators are not supported.${hint}`);
    }
    // Every second one closes what the first opened.
    if (kind === "`" && count(kind) % 2 === 0) {
      invalid(
        'The "`" character is not valid. To create a multi-line string, use the "heredoc" syntax, like "<<EOT".',
      );
    }
    if (kind === "'" && count(kind) % 2 === 0) {
      invalid('Single quotes are not valid. Use double quotes (") to enclose strings.');
    }
    if (kind === ";" && count(kind) === 0) {
      invalid(
        'The ";" character is not valid. Use newlines to separate arguments and blocks, and commas to separate items in collection values.',
      );
    }
    if (kind === "badUtf8" && count(kind) === 0) {
      const detail =
        "All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is selected in your editor.";
      report(diagnostics, range, "Invalid character encoding", detail);
    }
    if (kind === "quotedNewline") {
      const detail =
        'Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \\n escape to represent a newline character or use the "heredoc" multi-line template syntax.';
      report(diagnostics, range, "Invalid multi-line string", detail);
    }
    if (kind === "invalid") {
      invalid(
        text === "“" || text === "”"
          ? '"Curly quotes" are not valid here. These can sometimes be inadvertently introduced when sharing code via documents or discussion forums. It might help to replace the character with a "straight quote".'
          : "This character is not used within the language.",
      );
    }
  }
}
