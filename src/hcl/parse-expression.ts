import { checkTokens } from "./check-tokens.js";
import { TemplateExpression } from "./template-expressions.js";
import { ConditionalExpression } from "./conditional-expression.js";
import type { Diagnostic } from "./diagnostic.js";
import type { Expression, Step } from "./expression.js";
import { BinaryExpression, UnaryExpression, bindingLevel } from "./operator-expressions.js";
import { parseCall } from "./parse-call.js";
import { parseObject, parseTuple } from "./parse-collections.js";
import { parseNumber } from "./parse-number.js";
import { parseTemplate } from "./parse-template.js";
import { type Position, type Range, rangeBetween } from "./range.js";
import {
  BrokenExpression,
  IndexExpression,
  LiteralExpression,
  ParenthesesExpression,
  PartExpression,
  VariableExpression,
  withStep,
} from "./reference-expressions.js";
import { scan } from "./scan.js";
import { ElementExpression, SplatExpression } from "./splat-expression.js";
import type { Token } from "./token.js";
import { TokenReader, oppositeOf } from "./token-reader.js";
import { dynamicType, numberType } from "./types.js";
import {
  type Value,
  dynamicValue,
  falseValue,
  nullValue,
  numberValue,
  trueValue,
  unknownValue,
} from "./value.js";

/** A reader whose expressions are those of native syntax. */
export function expressionReader(tokens: readonly Token[], diagnostics: Diagnostic[]): TokenReader {
  return new TokenReader(tokens, diagnostics, parseConditional);
}

/** Parses text that is one expression. */
export function parseExpression(
  source: string,
  filename: string,
  start: Position,
  diagnostics: Diagnostic[],
): Expression {
  const tokens = scan(source, filename, start);
  checkTokens(tokens, diagnostics);
  const reader = expressionReader(tokens, diagnostics);
  return reader.withNewlines(false, () => {
    const expression = reader.expression();
    if (reader.peek().kind !== "eof") {
      const detail = "An expression was successfully parsed, but extra characters were found after it.";
      reader.softError(reader.nextRange, "Extra characters after expression", detail);
    }
    return expression;
  });
}

/** Parses text that is a template without quotes around it, as JSON's strings are. */
export function parseBareTemplate(
  source: string,
  filename: string,
  start: Position,
  diagnostics: Diagnostic[],
): Expression {
  const tokens = scan(source, filename, start, "bare");
  checkTokens(tokens, diagnostics);
  return parseTemplate(expressionReader(tokens, diagnostics), "eof", false);
}

function parseConditional(reader: TokenReader): Expression {
  const start = reader.nextRange;
  let { mark } = reader;
  const condition = parseOperators(reader, 1);
  if (reader.failedSince(mark) || reader.peek().kind !== "?") return condition;
  reader.read();
  mark = reader.mark;
  const yes = reader.expression();
  if (reader.failedSince(mark)) return condition;
  const colon = reader.peek();
  if (colon.kind !== ":") {
    const detail =
      "The conditional operator (...?...:...) requires a false expression, delimited by a colon.";
    reader.error(colon.range, "Missing false expression in conditional", detail);
    return condition;
  }
  reader.read();
  mark = reader.mark;
  const no = reader.expression();
  if (reader.failedSince(mark)) return condition;
  return new ConditionalExpression(condition, yes, no, rangeBetween(start, no.range));
}

function parseOperators(reader: TokenReader, lowest: number): Expression {
  let { mark } = reader;
  let left = parseOperand(reader);
  if (reader.failedSince(mark)) return left;
  for (;;) {
    const { kind } = reader.peek();
    const level = bindingLevel(kind);
    if (level === undefined || level < lowest) return left;
    reader.read();
    mark = reader.mark;
    const right = parseOperators(reader, level + 1);
    if (reader.failedSince(mark)) return left;
    left = new BinaryExpression(left, kind, right);
  }
}

function parseOperand(reader: TokenReader): Expression {
  return parseSteps(reader, parseTerm(reader));
}

function parseTerm(reader: TokenReader): Expression {
  const start = reader.peek();
  switch (start.kind) {
    case "(":
      return parseParentheses(reader);
    case "number":
      reader.read();
      return new LiteralExpression(literalNumber(reader, start), start.range);
    case "ident":
      return parseWord(reader);
    case "oquote":
    case "oheredoc": {
      const open = reader.read();
      const flush = open.text.startsWith("<<-");
      const closer = oppositeOf(open.kind) as string;
      return parseTemplate(reader, closer, flush, () => rangeBetween(open.range, reader.previousRange));
    }
    case "-":
    case "!":
      reader.read();
      return new UnaryExpression(
        start.kind,
        start.range,
        reader.nested(() => parseOperand(reader)),
      );
    case "[":
      return parseTuple(reader);
    case "{":
      return parseObject(reader);
    case "eof":
      reader.softError(
        start.range,
        "Missing expression",
        "Expected the start of an expression, but found the end of the file.",
      );
      break;
    default:
      reader.softError(
        start.range,
        "Invalid expression",
        "Expected the start of an expression, but found an invalid expression token.",
      );
  }
  reader.recovery = true;
  return new LiteralExpression(dynamicValue, start.range);
}

function parseParentheses(reader: TokenReader): Expression {
  const open = reader.read();
  return reader.withNewlines(false, () => {
    const { mark } = reader;
    const inner = reader.expression();
    if (reader.diagnostics.length > mark) {
      reader.recover(")");
      return inner;
    }
    const close = reader.peek();
    if (close.kind !== ")") {
      const detail = "Expected a closing parenthesis to terminate the expression.";
      reader.error(close.range, "Unbalanced parentheses", detail);
      reader.recovery = true;
    }
    return new ParenthesesExpression(inner, rangeBetween(open.range, reader.read().range));
  });
}

function parseWord(reader: TokenReader): Expression {
  const word = reader.read();
  const { kind } = reader.peek();
  if (kind === "(" || kind === "::") return parseCall(reader, word);
  const { range } = word;
  if (word.text === "true") return new LiteralExpression(trueValue, range);
  if (word.text === "false") return new LiteralExpression(falseValue, range);
  if (word.text === "null") return new LiteralExpression(nullValue(dynamicType), range);
  return new VariableExpression([{ kind: "root", name: word.text, range }], range);
}

function literalNumber(reader: TokenReader, token: Token): Value {
  const number = parseNumber(token.text);
  if (number) return numberValue(number);
  const detail = "Failed to recognize the value of this number literal.";
  reader.error(token.range, "Invalid number literal", detail);
  return unknownValue(numberType);
}

/** What stands behind a term: `.name`, `[key]`, `.*`, `[*]`. */
function parseSteps(reader: TokenReader, from: Expression): Expression {
  let expression = from;
  for (;;) {
    const { kind } = reader.peek();
    if (kind === ".") expression = parseDot(reader, from, expression);
    else if (kind === "[") expression = parseBrackets(reader, from, expression);
    else return expression;
  }
}

function parseDot(reader: TokenReader, from: Expression, expression: Expression): Expression {
  const dot = reader.read();
  const next = reader.peek();
  if (next.kind === "ident" || next.kind === "number")
    return withStep(expression, readStep(reader, dot, false));
  if (next.kind === "*") return parseAttributeSplat(reader, from, expression, dot);
  const before = reader.mark;
  reader.error(next.range, "Invalid attribute name", "An attribute name is required after a dot.");
  reader.recovery = true;
  return new BrokenExpression(reader.diagnostics.slice(before), rangeBetween(from.range, dot.range));
}

/** The name or the number behind a dot. */
function readStep(reader: TokenReader, dot: Token, inSplat: boolean): Step {
  const token = reader.read();
  const range = rangeBetween(dot.range, token.range);
  if (token.kind === "ident") return { kind: "attribute", name: token.text, range };
  const [first, second] = token.text.split(".");
  if (second === undefined) return { kind: "index", key: literalNumber(reader, token), range };
  const proper = inSplat
    ? "the proper index syntax with a full splat expression [*]"
    : "the proper index syntax";
  const detail = `When using the legacy index syntax, chaining two indexes together is not permitted. Use ${proper} instead, like [${first}][${second}].`;
  reader.error(token.range, "Invalid legacy index syntax", detail);
  return { kind: "index", key: dynamicValue, range };
}

function parseAttributeSplat(
  reader: TokenReader,
  from: Expression,
  source: Expression,
  dot: Token,
): Expression {
  const marker = reader.read();
  const first = reader.nextRange;
  let last = marker.range;
  const steps: Step[] = [];
  while (reader.peek().kind === ".") {
    const inner = reader.read();
    const next = reader.peek();
    if (next.kind !== "ident" && next.kind !== "number") {
      if (next.kind === "*") {
        const detail =
          "A splat expression (*) cannot be used inside another attribute-only splat expression.";
        reader.softError(next.range, "Nested splat expression not allowed", detail);
      } else {
        reader.softError(
          marker.range,
          "Invalid attribute name",
          "An attribute name is required after a dot.",
        );
      }
      reader.recovery = true;
      return source;
    }
    const step = readStep(reader, inner, true);
    steps.push(step);
    last = next.range;
  }
  const markerRange = rangeBetween(dot.range, marker.range);
  const element = new ElementExpression(markerRange);
  const each = steps.length === 0 ? element : new PartExpression(element, steps, rangeBetween(first, last));
  return new SplatExpression(source, each, element, rangeBetween(from.range, last), markerRange);
}

function parseBrackets(reader: TokenReader, from: Expression, source: Expression): Expression {
  const open = reader.read();
  if (reader.peek().kind === "*") return parseFullSplat(reader, from, source, open);
  return reader.withNewlines(false, () => {
    const { mark } = reader;
    const key = reader.expression();
    let close: Token;
    if (reader.failedSince(mark)) close = reader.recover("]");
    else {
      close = reader.read();
      if (close.kind !== "]" && !reader.recovery) {
        const detail = 'The index operator must end with a closing bracket ("]").';
        reader.error(close.range, "Missing close bracket on index", detail);
        close = reader.recover("]");
      }
    }
    const range: Range = rangeBetween(open.range, close.range);
    const isLiteral =
      key instanceof LiteralExpression || (key instanceof TemplateExpression && key.isLiteral);
    if (isLiteral) return withStep(source, { kind: "index", key: key.value(undefined, []), range });
    return new IndexExpression(source, key, rangeBetween(from.range, range), open.range, range);
  });
}

function parseFullSplat(reader: TokenReader, from: Expression, source: Expression, open: Token): Expression {
  reader.read();
  let close = reader.read();
  if (close.kind !== "]" && !reader.recovery) {
    const detail =
      'The star for a full splat operator must be immediately followed by a closing bracket ("]").';
    reader.error(close.range, "Missing close bracket on splat index", detail);
    close = reader.recover("]");
  }
  const marker = rangeBetween(open.range, close.range);
  const element = new ElementExpression(marker);
  const each = parseSteps(reader, element);
  return new SplatExpression(source, each, element, rangeBetween(from.range, each.range), marker);
}
