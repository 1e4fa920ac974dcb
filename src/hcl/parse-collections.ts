import { ObjectExpression, ObjectKey, TupleExpression } from "./collection-expressions.js";
import type { Expression } from "./expression.js";
import { ForExpression } from "./for-expression.js";
import { rangeBetween } from "./range.js";
import { BrokenExpression, LiteralExpression } from "./reference-expressions.js";
import type { Token } from "./token.js";
import type { TokenReader } from "./token-reader.js";
import { dynamicValue } from "./value.js";

/** `[…]`, also with a `for` in it. */
export function parseTuple(reader: TokenReader): Expression {
  const open = reader.read();
  return reader.withNewlines(false, () =>
    reader.isKeyword("for") ? parseFor(reader, open) : items(reader, open),
  );
}

function items(reader: TokenReader, open: Token): Expression {
  const expressions: Expression[] = [];
  let close: Token;
  for (;;) {
    if (reader.peek().kind === "]") {
      close = reader.read();
      break;
    }
    const { mark } = reader;
    expressions.push(reader.expression());
    if (reader.failedSince(mark)) {
      close = reader.recover("]");
      break;
    }
    const next = reader.peek();
    if (next.kind === "]") {
      close = reader.read();
      break;
    }
    if (next.kind !== ",") {
      if (next.kind === "eof") {
        const detail =
          "There is no corresponding closing bracket before the end of the file. This may be caused by incorrect bracket nesting elsewhere in this file.";
        reader.softError(open.range, "Unterminated tuple constructor expression", detail);
      } else {
        const detail = "Expected a comma to mark the beginning of the next item.";
        reader.softError(next.range, "Missing item separator", detail);
      }
      close = reader.recover("]");
      break;
    }
    reader.read();
  }
  return new TupleExpression(expressions, rangeBetween(open.range, close.range), open.range);
}

/** `{…}`, also with a `for` in it. */
export function parseObject(reader: TokenReader): Expression {
  const open = reader.read();
  if (reader.withNewlines(false, () => reader.isKeyword("for"))) {
    return reader.withNewlines(false, () => parseFor(reader, open));
  }
  return reader.withNewlines(true, () => {
    const pairs: [ObjectKey, Expression][] = [];
    const close = fields(reader, open, pairs);
    return new ObjectExpression(pairs, rangeBetween(open.range, close.range), open.range);
  });
}

function fields(reader: TokenReader, open: Token, pairs: [ObjectKey, Expression][]): Token {
  const unterminated = () =>
    reader.softError(
      open.range,
      "Unterminated object constructor expression",
      "There is no corresponding closing brace before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.",
    );
  for (;;) {
    const first = reader.peek();
    if (first.kind === "newline") {
      reader.read();
      continue;
    }
    if (first.kind === "}") return reader.read();
    const { mark } = reader;
    const key = new ObjectKey(reader.expression(), first.kind === "(");
    if (reader.failedSince(mark)) return reader.recover("}");
    const separator = reader.peek();
    if (separator.kind !== "=" && separator.kind !== ":") {
      if (separator.kind === "eof") unterminated();
      else missingSeparator(reader, separator);
      return reader.recover("}");
    }
    reader.read();
    const before = reader.mark;
    const value = reader.expression();
    if (reader.failedSince(before)) {
      if (value instanceof BrokenExpression) pairs.push([key, value]);
      return reader.recover("}");
    }
    pairs.push([key, value]);
    const next = reader.peek();
    if (next.kind === "}") return reader.read();
    if (next.kind !== "," && next.kind !== "newline") {
      if (next.kind === "eof") unterminated();
      else {
        const detail = "Expected a newline or comma to mark the beginning of the next attribute.";
        reader.softError(next.range, "Missing attribute separator", detail);
      }
      return reader.recover("}");
    }
    reader.read();
  }
}

function missingSeparator(reader: TokenReader, found: Token): void {
  if (found.kind === "newline" || found.kind === ",") {
    const detail = 'Expected an attribute value, introduced by an equals sign ("=").';
    reader.softError(found.range, "Missing attribute value", detail);
    return;
  }
  const hint =
    found.kind === "ident"
      ? " If you intended to given an attribute name containing periods or spaces, write the name in quotes to create a string literal."
      : "";
  const detail = `Expected an equals sign ("=") to mark the beginning of the attribute value.${hint}`;
  reader.softError(found.range, "Missing key/value separator", detail);
}

/** What follows the opening bracket of a `for`. */
function parseFor(reader: TokenReader, open: Token): Expression {
  const closing = open.kind === "{" ? "}" : "]";
  const refuse = (detail: string): Expression => {
    reader.softError(reader.nextRange, "Invalid 'for' expression", detail);
    return giveUp();
  };
  const giveUp = (): Expression =>
    new LiteralExpression(dynamicValue, rangeBetween(open.range, reader.recover(closing).range));
  reader.read();
  const names = forNames(reader);
  if (typeof names === "string") return refuse(names);
  let { mark } = reader;
  const collection = reader.expression();
  if (reader.failedSince(mark)) return giveUp();
  if (reader.peek().kind !== ":")
    return refuse("For expression requires a colon after the collection expression.");
  reader.read();
  mark = reader.mark;
  let key: Expression | undefined;
  let item = reader.expression();
  if (reader.peek().kind === "=>") {
    reader.read();
    key = item;
    item = reader.expression();
  }
  if (reader.failedSince(mark)) return giveUp();
  const ellipsis = reader.peek().kind === "..." ? reader.read() : undefined;
  let condition: Expression | undefined;
  if (reader.isKeyword("if")) {
    reader.read();
    mark = reader.mark;
    condition = reader.expression();
    if (reader.failedSince(mark)) return giveUp();
  }
  const close = forEnd(reader, closing);
  const misuse = (range: Token["range"], detail: string) =>
    reader.error(range, "Invalid 'for' expression", detail);
  if (open.kind === "[") {
    if (key) misuse(key.range, "Key expression is not valid when building a tuple.");
    if (ellipsis) misuse(ellipsis.range, "Grouping ellipsis (...) cannot be used when building a tuple.");
  } else if (!key) {
    misuse(item.range, "Key expression is required when building an object.");
  }
  const parts = { ...names, collection, key, item, condition, group: ellipsis !== undefined };
  return new ForExpression(parts, rangeBetween(open.range, close.range), open.range);
}

/** The names between `for` and `in`; a text says what is missing. */
function forNames(reader: TokenReader): { keyName: string | undefined; valueName: string } | string {
  if (reader.peek().kind !== "ident") return "For expression requires variable name after 'for'.";
  let keyName: string | undefined;
  let valueName = reader.read().text;
  if (reader.peek().kind === ",") {
    reader.read();
    keyName = valueName;
    if (reader.peek().kind !== "ident") return "For expression requires value variable name after comma.";
    valueName = reader.read().text;
  }
  if (!reader.isKeyword("in")) return "For expression requires the 'in' keyword after its name declarations.";
  reader.read();
  return { keyName, valueName };
}

/** The closing bracket, with whatever stands before it passed over. */
function forEnd(reader: TokenReader, closing: "}" | "]"): Token {
  const next = reader.peek();
  if (next.kind === closing) return reader.read();
  const detail = "Extra characters after the end of the 'for' expression.";
  reader.softError(next.range, "Invalid 'for' expression", detail);
  return reader.recover(closing);
}
