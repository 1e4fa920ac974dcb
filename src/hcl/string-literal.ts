import { type Diagnostic, report } from "./diagnostic.js";
import { goQuote } from "./go-quote.js";
import { graphemes } from "./graphemes.js";
import type { Range } from "./range.js";
import type { Token } from "./token.js";

const quotedParts =
  /\\u[0-9a-fA-F]{0,4}|\\U[0-9a-fA-F]{0,8}|\\[^]?|\$\$\{|%%\{|\$\$?|%%?|\r\n|\r|\n|[^\\$%\r\n]+/gu;
const rawParts = /\$\$\{|%%\{/g;
const simple: Record<string, string> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

/** The text that a literal of a template stands for: its escapes resolved. hclsyntax `ParseStringLiteralToken`. */
export function literalText(token: Token, diagnostics: Diagnostic[]): string {
  if (token.kind !== "quotedLit") return token.text.replace(rawParts, (escape) => escape.slice(1));
  if (!/[\\$%]/.test(token.text)) return token.text;
  let text = "";
  let { line, column } = token.range.start;
  for (const [part] of token.text.matchAll(quotedParts)) {
    const start = { line, column };
    for (const char of graphemes(part)) {
      if (/^[\r\n]/.test(char)) {
        line++;
        column = 1;
      } else {
        column++;
      }
    }
    const range = { filename: token.range.filename, start, end: { line, column } };
    if (part === "$${" || part === "%%{") text += part.slice(1);
    else if (part.startsWith("\\")) text += escapedText(part, range, diagnostics);
    else text += part;
  }
  return text;
}

function escapedText(escape: string, range: Range, diagnostics: Diagnostic[]): string {
  const refuse = (detail: string) => report(diagnostics, range, "Invalid escape sequence", detail);
  const selector = escape.slice(1);
  const known = simple[selector];
  if (known !== undefined) return known;
  if (selector === "") {
    refuse("Backslash must be followed by an escape sequence selector character.");
    return escape;
  }
  if (selector[0] === "u" || selector[0] === "U") {
    const long = selector[0] === "U";
    if (selector.length !== (long ? 9 : 5)) {
      refuse(
        `The \\${selector[0]} escape sequence must be followed by ${long ? "eight" : "four"} hexadecimal digits.`,
      );
      return escape;
    }
    const code = Number.parseInt(selector.slice(1), 16);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      refuse(`Cannot encode character U+${code.toString(16).padStart(4, "0")} in UTF-8.`);
      return escape;
    }
    return String.fromCodePoint(code);
  }
  refuse(`The symbol ${goQuote(selector)} is not a valid escape sequence selector.`);
  return selector;
}
