import { CallExpression } from "./call-expression.js";
import type { Expression } from "./expression.js";
import { rangeBetween } from "./range.js";
import { BrokenExpression } from "./reference-expressions.js";
import type { Token } from "./token.js";
import type { TokenReader } from "./token-reader.js";

/** A call, whose name has been read. hclsyntax/parser.go `finishParsingFunctionCall`. */
export function parseCall(reader: TokenReader, first: Token): Expression {
  const broken = (found: Token, summary: string, detail: string): Expression => {
    const before = reader.mark;
    reader.error(found.range, summary, detail);
    reader.recoverOver("(");
    return new BrokenExpression(reader.diagnostics.slice(before), rangeBetween(first.range, found.range));
  };
  let open = reader.read();
  let name = first.text;
  let last = first;
  while (open.kind === "::") {
    const next = reader.read();
    if (next.kind !== "ident") {
      const detail = "Function scope resolution symbol :: must be followed by a function name in this scope.";
      return broken(next, "Missing function name", detail);
    }
    name += `::${next.text}`;
    last = next;
    open = reader.read();
  }
  if (open.kind !== "(") {
    const detail = "Function selector must be followed by an open parenthesis to begin the function call.";
    return broken(open, "Missing open parenthesis", detail);
  }
  const opened = open;
  return reader.withNewlines(false, () => {
    const args: Expression[] = [];
    const { close, expands } = parseArguments(reader, first, opened, args);
    const ranges = { name: rangeBetween(first.range, last.range), open: opened.range, close: close.range };
    return new CallExpression(name, args, expands, ranges);
  });
}

function parseArguments(reader: TokenReader, name: Token, open: Token, args: Expression[]) {
  for (;;) {
    if (reader.peek().kind === ")") return { close: reader.read(), expands: false };
    const { mark } = reader;
    args.push(reader.expression());
    if (reader.failedSince(mark)) return { close: reader.recover(")"), expands: false };
    const separator = reader.read();
    if (separator.kind === ")") return { close: separator, expands: false };
    if (separator.kind === "...") {
      if (reader.peek().kind === ")") return { close: reader.read(), expands: true };
      const detail =
        "An expanded function argument (with ...) must be immediately followed by closing parentheses.";
      reader.softError(separator.range, "Missing closing parenthesis", detail);
      return { close: reader.recover(")"), expands: true };
    }
    if (separator.kind === ",") continue;
    if (separator.kind === "eof") {
      const detail =
        "There is no closing parenthesis for this function call before the end of the file. This may be caused by incorrect parenthesis nesting elsewhere in this file.";
      reader.error(rangeBetween(name.range, open.range), "Unterminated function call", detail);
    } else {
      const detail = "A comma is required to separate each function argument from the next.";
      reader.error(separator.range, "Missing argument separator", detail);
    }
    return { close: reader.recover(")"), expands: false };
  }
}
