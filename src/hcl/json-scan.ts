import { graphemeCount } from "./graphemes.js";
import type { Position, Range } from "./range.js";

/** A piece of JSON; other kinds than these words are the character itself. */
export interface JsonToken {
  readonly kind: "string" | "number" | "keyword" | "invalid" | "eof" | (string & {});
  readonly text: string;
  readonly range: Range;
}

const patterns: [kind: string, pattern: RegExp][] = [
  ["string", /"(?:\\[^\0-\x1f]|[^"\\\0-\x1f])*\\?"?/y],
  ["number", /[-+.0-9][-+.eE0-9]*/y],
  ["keyword", /[a-zA-Z][a-zA-Z_]*/y],
];

/** Splits JSON into tokens; the last is `eof`, and nothing comes behind what is `invalid`. json/scanner.go. */
export function scanJson(source: string, filename: string, start: Position): JsonToken[] {
  const tokens: JsonToken[] = [];
  let { line, column } = start;
  let at = 0;
  const push = (kind: string, text: string) => {
    const from = { line, column };
    column += graphemeCount(text);
    at += text.length;
    tokens.push({ kind, text, range: { filename, start: from, end: { line, column } } });
  };
  while (at < source.length) {
    const char = source[at] as string;
    if (char === "\n") {
      line++;
      column = 1;
      at++;
    } else if (char === " " || char === "\t" || char === "\r") {
      column += char === "\t" ? 2 : char === " " ? 1 : 0;
      at++;
    } else if ("{}[],:=".includes(char)) {
      push(char, char);
    } else {
      const found = patterns.find(([, pattern]) => {
        pattern.lastIndex = at;
        return pattern.test(source);
      });
      if (!found) {
        push("invalid", char);
        break;
      }
      const [kind, pattern] = found;
      pattern.lastIndex = at;
      push(kind, (pattern.exec(source) as RegExpExecArray)[0]);
    }
  }
  push("eof", "");
  return tokens;
}
