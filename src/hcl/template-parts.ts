import type { Expression } from "./expression.js";
import { graphemes } from "./graphemes.js";
import { nearHint } from "./near-name.js";
import { type Range, endOf, rangeBetween } from "./range.js";
import { literalText } from "./string-literal.js";
import type { Token, TokenKind } from "./token.js";
import { withoutTrailingSpace } from "./white-space.js";
import type { TokenReader } from "./token-reader.js";

/** What a template consists of, one behind the other; the last is its end. */
export type TemplatePart =
  | { kind: "literal"; text: string; range: Range }
  | { kind: "interpolation"; expression: Expression; range: Range }
  | { kind: "if"; condition: Expression; range: Range }
  | { kind: "for"; keyName: string | undefined; valueName: string; collection: Expression; range: Range }
  | { kind: "else"; range: Range }
  | { kind: "endif"; range: Range }
  | { kind: "endfor"; range: Range }
  | { kind: "end"; range: Range };

/** Reads up to a token of kind `end`. hclsyntax/parser_template.go `parseTemplateParts`. */
export function readTemplateParts(reader: TokenReader, end: TokenKind, flush: boolean) {
  const parts: TemplatePart[] = [];
  const start = reader.nextRange;
  let trimNext = false;
  let endRange: Range;
  for (;;) {
    const token = reader.read();
    if (token.kind === end) {
      endRange = token.range;
      break;
    }
    const last = parts.at(-1);
    // A `~` trims the text before it only where that is what came last.
    if (/^[$%]\{~$/.test(token.text) && last?.kind === "literal") last.text = withoutTrailingSpace(last.text);
    if (token.kind === "stringLit" || token.kind === "quotedLit") {
      const text = literalText(token, reader.diagnostics);
      parts.push({
        kind: "literal",
        text: trimNext ? text.replace(/^\p{White_Space}+/u, "") : text,
        range: token.range,
      });
      trimNext = false;
    } else if (token.kind === "interp") {
      trimNext = interpolation(reader, token, start, end, parts);
    } else if (token.kind === "control") {
      trimNext = directive(reader, token, parts);
    } else {
      reader.softError(
        token.range,
        "Unterminated template string",
        "No closing marker was found for the string.",
      );
      endRange = reader.recover(end).range;
      break;
    }
  }
  if (parts.length === 0) parts.push({ kind: "literal", text: "", range: endOf(start) });
  if (flush) takeIndentation(parts);
  const melded = meld(parts);
  melded.push({ kind: "end", range: endRange });
  return { parts: melded, range: rangeBetween(start, endRange) };
}

/** Reads `${…}`, and says whether the text behind it is trimmed. */
function interpolation(
  reader: TokenReader,
  open: Token,
  start: Range,
  end: TokenKind,
  parts: TemplatePart[],
): boolean {
  return reader.withNewlines(false, () => {
    const expression = reader.expression();
    const close = reader.peek();
    parts.push({ kind: "interpolation", expression, range: rangeBetween(open.range, close.range) });
    if (close.kind === "seqEnd") return reader.read().text === "~}";
    const unclosed = (where: string) =>
      reader.softError(
        start,
        "Unclosed template interpolation sequence",
        `There is no closing brace for this interpolation sequence before the end of the ${where}. This might be caused by incorrect nesting inside the given expression.`,
      );
    const extra = (detail: string) =>
      reader.softError(close.range, "Extra characters after interpolation expression", detail);
    if (close.kind === "eof") unclosed("file");
    else if (close.kind === ":") {
      extra(
        'Template interpolation doesn\'t expect a colon at this location. Did you intend this to be a literal sequence to be processed as part of another language? If so, you can escape it by starting with "$${" instead of just "${".',
      );
    } else if ((close.kind === "cquote" || close.kind === "oquote") && end === "cquote")
      unclosed("quoted template");
    else {
      extra(
        'Expected a closing brace to end the interpolation expression, but found extra characters.\n\nThis can happen when you include interpolation syntax for another language, such as shell scripting, but forget to escape the interpolation start token. If this is an embedded sequence for another language, escape it by starting with "$${" instead of just "${".',
      );
    }
    reader.recover("seqEnd");
    return false;
  });
}

/** Reads `%{…}`, and says whether the text behind it is trimmed. */
function directive(reader: TokenReader, open: Token, parts: TemplatePart[]): boolean {
  return reader.withNewlines(false, () => {
    const keyword = reader.peek();
    if (keyword.kind !== "ident") {
      reader.softError(
        keyword.range,
        "Invalid template directive",
        'A template directive keyword ("if", "for", etc) is expected at the beginning of a %{ sequence.',
      );
      reader.recover("seqEnd");
      return false;
    }
    reader.read();
    const part = directivePart(reader, open, keyword);
    if (!part) {
      reader.recover("seqEnd");
      return false;
    }
    parts.push(part);
    const close = reader.peek();
    if (close.kind === "seqEnd") return reader.read().text === "~}";
    const detail = "Expected a closing brace to end the sequence, but found extra characters.";
    reader.softError(close.range, `Extra characters in ${keyword.text} marker`, detail);
    reader.recover("seqEnd");
    return false;
  });
}

function directivePart(reader: TokenReader, open: Token, keyword: Token): TemplatePart | undefined {
  const range = () => rangeBetween(open.range, reader.nextRange);
  switch (keyword.text) {
    case "if": {
      const condition = reader.expression();
      return { kind: "if", condition, range: range() };
    }
    case "else":
    case "endif":
    case "endfor":
      return { kind: keyword.text, range: range() };
    case "for": {
      const names = forNames(reader);
      if (!names) return undefined;
      const collection = reader.expression();
      return { kind: "for", ...names, collection, range: range() };
    }
    default: {
      const hint = nearHint(keyword.text, ["if", "for", "else", "endif", "endfor"]);
      const detail = `"${keyword.text}" is not a valid template control keyword.${hint}`;
      reader.softError(keyword.range, "Invalid template control keyword", detail);
      return undefined;
    }
  }
}

function forNames(reader: TokenReader): { keyName: string | undefined; valueName: string } | undefined {
  const refuse = (detail: string) => {
    reader.softError(reader.nextRange, "Invalid 'for' directive", detail);
    return undefined;
  };
  if (reader.peek().kind !== "ident") return refuse("For directive requires variable name after 'for'.");
  let keyName: string | undefined;
  let valueName = reader.read().text;
  if (reader.peek().kind === ",") {
    reader.read();
    keyName = valueName;
    if (reader.peek().kind !== "ident")
      return refuse("For directive requires value variable name after comma.");
    valueName = reader.read().text;
  }
  if (!reader.isKeyword("in")) return refuse("For directive requires 'in' keyword after names.");
  reader.read();
  return { keyName, valueName };
}

/** Takes off what all lines of a `<<-` heredoc are indented by. hclsyntax `flushHeredocTemplateParts`. */
function takeIndentation(parts: TemplatePart[]): void {
  let least = Number.POSITIVE_INFINITY;
  let isLineStart = true;
  const lines: Extract<TemplatePart, { kind: "literal" }>[] = [];
  for (const part of parts) {
    if (isLineStart) {
      let spaces = 0;
      if (part.kind === "literal") {
        const rest = part.text.replace(/^\p{White_Space}+/u, "");
        if (rest === "" && part.text.endsWith("\n")) spaces = Number.POSITIVE_INFINITY;
        else {
          spaces = graphemes(part.text.slice(0, part.text.length - rest.length)).length;
          lines.push(part);
        }
      }
      least = Math.min(least, spaces);
    }
    isLineStart = part.kind === "literal" && part.text.endsWith("\n");
  }
  if (!Number.isFinite(least)) return;
  for (const line of lines) {
    line.text = graphemes(line.text).slice(least).join("");
    const { start } = line.range;
    line.range = { ...line.range, start: { ...start, column: start.column + least } };
  }
}

function meld(parts: readonly TemplatePart[]): TemplatePart[] {
  const melded: TemplatePart[] = [];
  for (const part of parts) {
    const last = melded.at(-1);
    if (part.kind === "literal" && last?.kind === "literal") {
      last.text += part.text;
      last.range = rangeBetween(last.range, part.range);
    } else {
      melded.push(part);
    }
  }
  return melded;
}
