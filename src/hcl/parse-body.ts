import { type Attribute, type NativeBlock, NativeBody } from "./body.js";
import { checkTokens } from "./check-tokens.js";
import type { Diagnostic } from "./diagnostic.js";
import { expressionReader } from "./parse-expression.js";
import { type Range, rangeBetween, rangeText } from "./range.js";
import { scan } from "./scan.js";
import { literalText } from "./string-literal.js";
import type { Token } from "./token.js";
import type { TokenReader } from "./token-reader.js";

const itemRequired = "Argument or block definition required";
const equalsHint =
  'An argument or block definition is required here. To set an argument, use the equals sign "=" to introduce the argument value.';

/** Parses a file in native syntax. What is wrong with it is added, and the body then holds what could be read. */
export function parseNative(source: string, filename: string, diagnostics: Diagnostic[]): NativeBody {
  const tokens = scan(source, filename, { line: 1, column: 1 });
  checkTokens(tokens, diagnostics);
  return parseBody(expressionReader(tokens, diagnostics), "eof");
}

/** hclsyntax/parser.go `ParseBody`. */
function parseBody(reader: TokenReader, end: "eof" | "}"): NativeBody {
  const attributes = new Map<string, Attribute>();
  const blocks: NativeBlock[] = [];
  const start = reader.previousRange;
  let endRange: Range;
  for (;;) {
    const next = reader.peek();
    if (next.kind === end) {
      endRange = next.range;
      reader.read();
      break;
    }
    if (next.kind === "newline") {
      reader.read();
      continue;
    }
    if (next.kind === "ident") {
      const item = reader.nested(() => parseItem(reader));
      if (item && "labels" in item) blocks.push(item);
      else if (item) addAttribute(reader, attributes, item);
      continue;
    }
    const bad = reader.read();
    if (bad.kind === "oquote") {
      reader.softError(bad.range, "Invalid argument name", "Argument names must not be quoted.");
    } else if (bad.kind === "eof") {
      unclosed(reader, start);
    } else {
      reader.softError(bad.range, itemRequired, "An argument or block definition is required here.");
    }
    endRange = reader.previousRange;
    reader.recover(end);
    break;
  }
  return new NativeBody(attributes, blocks, rangeBetween(start, endRange));
}

function unclosed(reader: TokenReader, range: Range): void {
  const detail =
    "There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.";
  reader.softError(range, "Unclosed configuration block", detail);
}

function addAttribute(reader: TokenReader, attributes: Map<string, Attribute>, attribute: Attribute): void {
  const existing = attributes.get(attribute.name);
  if (!existing) {
    attributes.set(attribute.name, attribute);
    return;
  }
  const where = rangeText(existing.nameRange);
  const detail = `The argument "${attribute.name}" was already set at ${where}. Each argument may be set only once.`;
  reader.error(attribute.nameRange, "Attribute redefined", detail);
}

function parseItem(reader: TokenReader): Attribute | NativeBlock | undefined {
  const name = reader.read();
  const { kind } = reader.peek();
  if (kind === "=") return parseAttribute(reader, name, false);
  if (kind === "oquote" || kind === "{" || kind === "ident") return parseBlock(reader, name);
  reader.recoverAfterItem();
  reader.error(name.range, itemRequired, equalsHint);
  return undefined;
}

function parseAttribute(reader: TokenReader, name: Token, onOneLine: boolean): Attribute {
  reader.read();
  const { mark } = reader;
  const expression = reader.expression();
  const end = reader.previousRange;
  if (reader.failedSince(mark)) reader.recoverAfterItem();
  else if (!onOneLine) endOfLine(reader);
  return { name: name.text, expression, range: rangeBetween(name.range, end), nameRange: name.range };
}

function endOfLine(reader: TokenReader): void {
  const next = reader.peek();
  if (next.kind === "newline" || next.kind === "eof") {
    reader.read();
    return;
  }
  const detail = "An argument definition must end with a newline.";
  if (next.kind === ",") {
    const rule = `Argument definitions must be separated by newlines, not commas. ${detail}`;
    reader.softError(next.range, "Unexpected comma after argument", rule);
  } else {
    reader.softError(next.range, "Missing newline after argument", detail);
  }
  reader.recoverAfterItem();
}

function parseBlock(reader: TokenReader, type: Token): NativeBlock {
  const labels: string[] = [];
  const labelRanges: Range[] = [];
  for (;;) {
    const next = reader.peek();
    if (next.kind === "{") break;
    if (next.kind === "oquote") {
      const label = parseLabel(reader);
      labels.push(label.text);
      labelRanges.push(label.range);
    } else if (next.kind === "ident") {
      reader.read();
      labels.push(next.text);
      labelRanges.push(next.range);
    } else {
      return badHead(reader, type, labels, labelRanges, next);
    }
  }
  const open = reader.read();
  const { kind } = reader.peek();
  const isLong = kind === "newline" || kind === "eof" || kind === "}";
  const body = isLong ? parseBody(reader, "}") : parseLine(reader);
  if (!isLong) endOfBlockLine(reader, open);
  const next = reader.peek();
  if (next.kind === "newline" || next.kind === "eof") reader.read();
  else {
    reader.softError(
      next.range,
      "Missing newline after block definition",
      "A block definition must end with a newline.",
    );
    reader.recoverAfterItem();
  }
  return { type: type.text, labels, body, typeRange: type.range, labelRanges, openRange: open.range };
}

function badHead(
  reader: TokenReader,
  type: Token,
  labels: string[],
  labelRanges: Range[],
  found: Token,
): NativeBlock {
  const summary = "Invalid block definition";
  if (found.kind === "=") {
    const detail =
      'The equals sign "=" indicates an argument definition, and must not be used when defining a block.';
    reader.error(found.range, summary, detail);
  } else if (found.kind === "newline") {
    const detail =
      'A block definition must have block content delimited by "{" and "}", starting on the same line as the block header.';
    reader.error(found.range, summary, detail);
  } else {
    const detail = 'Either a quoted string block label or an opening brace ("{") is expected here.';
    reader.softError(found.range, summary, detail);
  }
  reader.recoverAfterItem();
  const body = new NativeBody(new Map(), [], type.range);
  return { type: type.text, labels, body, typeRange: type.range, labelRanges, openRange: type.range };
}

/** The content of a block on one line: at most one attribute. */
function parseLine(reader: TokenReader): NativeBody {
  const name = reader.read();
  const empty = () => new NativeBody(new Map(), [], name.range);
  const refuse = (range: Range, summary: string, detail: string) => {
    reader.recoverAfterItem();
    reader.error(range, summary, detail);
    return empty();
  };
  if (name.kind !== "ident") {
    return refuse(name.range, itemRequired, "An argument or block definition is required here.");
  }
  const next = reader.peek();
  if (next.kind === "=") {
    const attribute = parseAttribute(reader, name, true);
    return new NativeBody(new Map([[name.text, attribute]]), [], attribute.range);
  }
  if (next.kind === "oquote" || next.kind === "{" || next.kind === "ident") {
    const detail = `A single-line block definition can contain only a single argument. If you meant to define argument "${name.text}", use an equals sign to assign it a value. To define a nested block, place it on a line of its own within its parent block.`;
    return refuse(rangeBetween(name.range, next.range), "Argument definition required", detail);
  }
  return refuse(name.range, itemRequired, equalsHint);
}

function endOfBlockLine(reader: TokenReader, open: Token): void {
  const next = reader.peek();
  if (next.kind === "}") {
    reader.read();
    return;
  }
  if (next.kind === "eof") {
    unclosed(reader, open.range);
    reader.recover("}");
    return;
  }
  const detail =
    next.kind === ","
      ? "Single-line block syntax can include only one argument definition. To define multiple arguments, use the multi-line block syntax with one argument definition per line."
      : next.kind === "newline"
        ? "An argument definition on the same line as its containing block creates a single-line block definition, which must also be closed on the same line. Place the block's closing brace immediately after the argument definition."
        : "A single-line block definition must end with a closing brace immediately after its single argument definition.";
  reader.softError(next.range, "Invalid single-argument block definition", detail);
  reader.recover("}");
}

/** A label in quotes, without templates. */
function parseLabel(reader: TokenReader): { text: string; range: Range } {
  const open = reader.read();
  let text = "";
  for (;;) {
    const token = reader.read();
    if (token.kind === "cquote") return { text, range: rangeBetween(open.range, token.range) };
    if (token.kind === "quotedLit") {
      text += literalText(token, reader.diagnostics);
    } else if (token.kind === "interp" || token.kind === "control") {
      const sign = token.kind === "interp" ? "$" : "%";
      const detail = `Template sequences are not allowed in this string. To include a literal "${sign}", double it (as "${sign}${sign}") to escape it.`;
      reader.error(token.range, "Invalid string literal", detail);
      text += `${sign}{ ... }`;
      reader.recover("seqEnd");
    } else {
      const detail =
        token.kind === "eof"
          ? "Unable to find the closing quote mark before the end of the file."
          : "This item is not valid in a string literal.";
      const summary = token.kind === "eof" ? "Unterminated string literal" : "Invalid string literal";
      reader.error(token.range, summary, detail);
      if (token.kind !== "eof") reader.recover("cquote");
      return { text, range: rangeBetween(open.range, token.range) };
    }
  }
}
