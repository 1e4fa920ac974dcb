import { trimTrailing } from "../../core/index.js";
import { TemplateError } from "./template-error.js";

/** A piece of a template: text to print as it is, or the tokens of one `{{ }}`. */
export type TemplatePiece =
  { kind: "text"; text: string } | { kind: "action"; tokens: TemplateToken[]; line: number; source: string };

/** A word of an action. `spaced`: white space stands before it, which decides whether `.x` begins an operand of its own. */
export interface TemplateToken {
  kind: "field" | "dot" | "variable" | "string" | "number" | "word" | "symbol";
  text: string;
  spaced: boolean;
}

const action = /\{\{(?:-(?=\s))?/g;
const patterns: [TemplateToken["kind"], RegExp][] = [
  ["string", /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'/y],
  [
    "number",
    /[+-]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][+-]?\d+)?)(?![A-Za-z_])/y,
  ],
  ["field", /\.[A-Za-z_\p{L}][\w\p{L}]*/uy],
  ["dot", /\./y],
  ["variable", /\$[\w\p{L}]*/uy],
  ["word", /[A-Za-z_\p{L}][\w\p{L}]*/uy],
  ["symbol", /:=|[=|(),]/y],
];

/** Cuts a template into text and actions; `{{-` and `-}}` take the white space beside them along. */
export function tokenize(template: string): TemplatePiece[] {
  const pieces: TemplatePiece[] = [];
  let position = 0;
  let trimNext = false;
  const addText = (end: number, trimEnd: boolean) => {
    let text = template.slice(position, end);
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, "");
    if (trimEnd) text = trimTrailing(text, " \t\r\n");
    if (text !== "") pieces.push({ kind: "text", text });
  };
  for (;;) {
    action.lastIndex = position;
    const open = action.exec(template);
    if (!open) {
      addText(template.length, false);
      return pieces;
    }
    addText(open.index, open[0].length === 3);
    const line = template.slice(0, open.index).split("\n").length;
    const start = open.index + open[0].length;
    const { tokens, end, trim } = readAction(template, start, line);
    const source = template
      .slice(start, end)
      .replace(/(?:\s-)?\}\}$/, "")
      .trim();
    if (tokens) pieces.push({ kind: "action", tokens, line, source });
    position = end;
    trimNext = trim;
  }
}

function readAction(template: string, start: number, line: number) {
  const comment = /\s*\/\*[^]*?\*\/(\s+-)?\}\}/y;
  comment.lastIndex = start;
  const skipped = comment.exec(template);
  if (skipped) return { tokens: undefined, end: comment.lastIndex, trim: skipped[1] !== undefined };
  const tokens: TemplateToken[] = [];
  let position = start;
  for (;;) {
    const space = /\s*/y;
    space.lastIndex = position;
    space.exec(template);
    const spaced = space.lastIndex > position;
    position = space.lastIndex;
    if (spaced && template.startsWith("-}}", position)) return { tokens, end: position + 3, trim: true };
    if (template.startsWith("}}", position)) return { tokens, end: position + 2, trim: false };
    if (position >= template.length) throw new TemplateError(String(line), "unclosed action");
    const token = readToken(template, position);
    if (!token) {
      const character = String.fromCodePoint(template.codePointAt(position) ?? 0);
      throw new TemplateError(String(line), `unexpected ${JSON.stringify(character)} in command`);
    }
    tokens.push({ ...token, spaced });
    position += token.text.length;
  }
}

function readToken(template: string, position: number): Omit<TemplateToken, "spaced"> | undefined {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = position;
    const match = pattern.exec(template);
    if (match) return { kind, text: match[0] };
  }
  return undefined;
}
