import { convert } from "./convert-value.js";
import { CtyError } from "./cty-error.js";
import { type Diagnostic, report } from "./diagnostic.js";
import type { Child, Expression } from "./expression.js";
import type { Range } from "./range.js";
import { LiteralExpression } from "./reference-expressions.js";
import type { Scope } from "./scope.js";
import { stringType } from "./types.js";
import { type Value, itemsOf, textOf, textValue, unknownValue } from "./value.js";

const summary = "Invalid template interpolation value";

/** Text with values in it. */
export class TemplateExpression implements Expression {
  readonly parts: readonly Expression[];
  readonly range: Range;

  constructor(parts: readonly Expression[], range: Range) {
    this.parts = parts;
    this.range = range;
  }

  get startRange(): Range {
    return (this.parts[0] as Expression).startRange;
  }

  /** Text alone. */
  get isLiteral(): boolean {
    return this.parts.length === 1 && this.parts[0] instanceof LiteralExpression;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    let text = "";
    let known = true;
    for (const part of this.parts) {
      const value = part.value(scope, diagnostics);
      if (value.isNull) {
        const detail = "The expression result is null. Cannot include a null value in a string template.";
        report(diagnostics, part.range, summary, detail);
        continue;
      }
      if (!value.isKnown) {
        known = false;
        continue;
      }
      text += converted(value, part.range, diagnostics, "the given value in a string template") ?? "";
    }
    return known ? textValue(text) : unknownValue(stringType);
  }

  children(): Child[] {
    return this.parts.map((expression) => ({ expression }));
  }
}

/** `"${e}"` alone: the value itself, whatever its type. */
export class WrappedExpression implements Expression {
  readonly inner: Expression;
  readonly range: Range;

  constructor(inner: Expression, range: Range) {
    this.inner = inner;
    this.range = range;
  }

  get startRange(): Range {
    return this.range;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    return this.inner.value(scope, diagnostics);
  }

  children(): Child[] {
    return [{ expression: this.inner }];
  }
}

/** The results of a template's `for`, one behind the other. */
export class JoinExpression implements Expression {
  readonly tuple: Expression;

  constructor(tuple: Expression) {
    this.tuple = tuple;
  }

  get range(): Range {
    return this.tuple.range;
  }

  get startRange(): Range {
    return this.tuple.startRange;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const tuple = this.tuple.value(scope, diagnostics);
    if (!tuple.isKnown || tuple.type.kind === "dynamic") return unknownValue(stringType);
    let text = "";
    for (const value of itemsOf(tuple)) {
      if (value.isNull) {
        const detail = "An iteration result is null. Cannot include a null value in a string template.";
        report(diagnostics, this.range, summary, detail);
        continue;
      }
      if (!value.isKnown) return unknownValue(stringType);
      const what = "one of the interpolation results into the string template";
      text += converted(value, this.range, diagnostics, what) ?? "";
    }
    return textValue(text);
  }

  children(): Child[] {
    return [{ expression: this.tuple }];
  }
}

function converted(value: Value, range: Range, diagnostics: Diagnostic[], what: string): string | undefined {
  try {
    return textOf(convert(value, stringType));
  } catch (error) {
    if (!(error instanceof CtyError)) throw error;
    report(diagnostics, range, summary, `Cannot include ${what}: ${error.message}.`);
    return undefined;
  }
}
