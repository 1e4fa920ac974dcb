import { ConditionalExpression } from "./conditional-expression.js";
import { report } from "./diagnostic.js";
import type { Expression } from "./expression.js";
import { ForExpression } from "./for-expression.js";
import { type Range, endOf, rangeBetween, rangeText, startOf } from "./range.js";
import { LiteralExpression } from "./reference-expressions.js";
import { JoinExpression, TemplateExpression, WrappedExpression } from "./template-expressions.js";
import { type TemplatePart, readTemplateParts } from "./template-parts.js";
import type { TokenKind } from "./token.js";
import type { TokenReader } from "./token-reader.js";
import { dynamicValue, textValue } from "./value.js";

type End = Extract<TemplatePart, { kind: "else" | "endif" | "endfor" }>;

/**
 * A template up to a token of kind `end`. `range` says which part of the file it is shown as; `flush` takes the
 * common indentation off.
 */
export function parseTemplate(
  reader: TokenReader,
  end: TokenKind,
  flush: boolean,
  rangeOf: (inner: Range) => Range = (inner) => inner,
): Expression {
  const { parts, range: inner } = readTemplateParts(reader, end, flush);
  const range = rangeOf(inner);
  const assembly = new Assembly(parts, reader);
  const expressions = assembly.all();
  const [only] = parts;
  if (parts.length === 2 && only?.kind === "interpolation")
    return new WrappedExpression(only.expression, range);
  return new TemplateExpression(expressions, range);
}

/** Puts the directives of a template together with what they enclose. hclsyntax/parser_template.go. */
class Assembly {
  readonly #parts: readonly TemplatePart[];
  readonly #reader: TokenReader;
  #at = 0;

  constructor(parts: readonly TemplatePart[], reader: TokenReader) {
    this.#parts = parts;
    this.#reader = reader;
  }

  all(): Expression[] {
    const expressions: Expression[] = [];
    while (this.#peek().kind !== "end") expressions.push(this.#next());
    return expressions;
  }

  #peek(): TemplatePart {
    return this.#parts[Math.min(this.#at, this.#parts.length - 1)] as TemplatePart;
  }

  #next(): Expression {
    const part = this.#peek();
    this.#at++;
    switch (part.kind) {
      case "literal":
        return new LiteralExpression(textValue(part.text), part.range);
      case "interpolation":
        return part.expression;
      case "if":
        return this.#reader.nested(() => this.#if(part));
      case "for":
        return this.#reader.nested(() => this.#for(part));
      default: {
        const what = part.kind === "end" ? "end of template" : `${part.kind} directive`;
        return this.#broken(part.range, what, "The control directives within this template are unbalanced.");
      }
    }
  }

  #broken(range: Range, unexpected: string, detail: string): Expression {
    report(this.#reader.diagnostics, range, `Unexpected ${unexpected}`, detail);
    return new LiteralExpression(dynamicValue, range);
  }

  #if(open: Extract<TemplatePart, { kind: "if" }>): Expression {
    const branches: [Expression[], Expression[]] = [[], []];
    let current: 0 | 1 = 0;
    for (;;) {
      const part = this.#peek();
      if (part.kind === "end") {
        const detail = `The if directive at ${rangeText(open.range)} is missing its corresponding endif directive.`;
        return this.#broken(part.range, "end of template", detail);
      }
      if (!isEnd(part)) {
        branches[current].push(this.#next());
        continue;
      }
      this.#at++;
      if (part.kind === "else" && current === 0) {
        current = 1;
        continue;
      }
      if (part.kind === "endif") {
        const yes = joined(branches[0], endOf(open.range));
        const no = joined(branches[1], startOf(part.range));
        return new ConditionalExpression(open.condition, yes, no, rangeBetween(open.range, part.range));
      }
      const detail =
        part.kind === "else"
          ? `Already in the else clause for the if started at ${rangeText(open.range)}.`
          : `Expecting an endif directive for the if started at ${rangeText(open.range)}.`;
      return this.#broken(part.range, `${part.kind} directive`, detail);
    }
  }

  #for(open: Extract<TemplatePart, { kind: "for" }>): Expression {
    const content: Expression[] = [];
    for (;;) {
      const part = this.#peek();
      if (part.kind === "end") {
        const detail = `The for directive at ${rangeText(open.range)} is missing its corresponding endfor directive.`;
        return this.#broken(part.range, "end of template", detail);
      }
      if (!isEnd(part)) {
        content.push(this.#next());
        continue;
      }
      this.#at++;
      if (part.kind === "endfor") {
        const { keyName, valueName, collection } = open;
        const item = joined(content, endOf(open.range));
        const parts = {
          keyName,
          valueName,
          collection,
          key: undefined,
          item,
          condition: undefined,
          group: false,
        };
        return new JoinExpression(new ForExpression(parts, rangeBetween(open.range, part.range), open.range));
      }
      const detail =
        part.kind === "else"
          ? "An else clause is not expected for a for directive."
          : `Expecting an endfor directive corresponding to the for directive at ${rangeText(open.range)}.`;
      return this.#broken(part.range, `${part.kind} directive`, detail);
    }
  }
}

function isEnd(part: TemplatePart): part is End {
  return part.kind === "else" || part.kind === "endif" || part.kind === "endfor";
}

function joined(parts: Expression[], empty: Range): Expression {
  const all = parts.length > 0 ? parts : [new LiteralExpression(textValue(""), empty)];
  const range = rangeBetween((all[0] as Expression).range, (all.at(-1) as Expression).range);
  return new TemplateExpression(all, range);
}
