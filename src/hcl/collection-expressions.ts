import { convert } from "./convert-value.js";
import { CtyError } from "./cty-error.js";
import { type Diagnostic, report } from "./diagnostic.js";
import { type Child, type Expression, type Step, keywordOf } from "./expression.js";
import type { Range } from "./range.js";
import { VariableExpression } from "./reference-expressions.js";
import type { Scope } from "./scope.js";
import { stringType } from "./types.js";
import { type Value, dynamicValue, objectValue, textOf, textValue, tupleValue } from "./value.js";

/** `[a, b]`. */
export class TupleExpression implements Expression {
  readonly items: readonly Expression[];
  readonly range: Range;
  readonly startRange: Range;

  constructor(items: readonly Expression[], range: Range, open: Range) {
    this.items = items;
    this.range = range;
    this.startRange = open;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    return tupleValue(this.items.map((item) => item.value(scope, diagnostics)));
  }

  children(): Child[] {
    return this.items.map((expression) => ({ expression }));
  }

  list(): readonly Expression[] {
    return this.items;
  }
}

/** `{ a = b }`. */
export class ObjectExpression implements Expression {
  readonly items: readonly (readonly [ObjectKey, Expression])[];
  readonly range: Range;
  readonly startRange: Range;

  constructor(items: readonly (readonly [ObjectKey, Expression])[], range: Range, open: Range) {
    this.items = items;
    this.range = range;
    this.startRange = open;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const fields: [string, Value][] = [];
    let known = true;
    for (const [keyExpression, valueExpression] of this.items) {
      const before = diagnostics.length;
      const given = keyExpression.value(scope, diagnostics);
      const failed = diagnostics.length > before;
      const value = valueExpression.value(scope, diagnostics);
      const key = failed ? undefined : keyText(given, keyExpression, valueExpression, diagnostics);
      if (key === undefined) known = false;
      else fields.push([key, value]);
    }
    return known ? objectValue(fields) : dynamicValue;
  }

  children(): Child[] {
    return this.items.flatMap(([key, expression]) => [{ expression: key }, { expression }]);
  }

  pairs(): readonly (readonly [Expression, Expression])[] {
    return this.items;
  }
}

function keyText(
  given: Value,
  key: Expression,
  value: Expression,
  diagnostics: Diagnostic[],
): string | undefined {
  if (given.isNull) {
    report(diagnostics, value.range, "Null value as key", "Can't use a null value as a key.");
    return undefined;
  }
  try {
    const text = convert(given, stringType);
    return text.isKnown ? textOf(text) : undefined;
  } catch (error) {
    if (!(error instanceof CtyError)) throw error;
    report(diagnostics, key.range, "Incorrect key type", `Can't use this value as a key: ${error.message}.`);
    return undefined;
  }
}

/** An object's key: a bare word is its own name, unless it stands in parentheses. */
export class ObjectKey implements Expression {
  readonly inner: Expression;
  readonly #isExpression: boolean;

  constructor(inner: Expression, isExpression: boolean) {
    this.inner = inner;
    this.#isExpression = isExpression;
  }

  get range(): Range {
    return this.inner.range;
  }

  get startRange(): Range {
    return this.inner.startRange;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    if (!this.#isExpression) {
      if (this.inner instanceof VariableExpression && this.inner.steps.length > 1) {
        const detail =
          "If this expression is intended to be a reference, wrap it in parentheses. If it's instead intended as a literal name containing periods, wrap it in quotes to create a string literal.";
        report(diagnostics, this.range, "Ambiguous attribute key", detail);
        return dynamicValue;
      }
      const word = keywordOf(this.inner);
      if (word !== undefined) return textValue(word);
    }
    return this.inner.value(scope, diagnostics);
  }

  children(): Child[] {
    return keywordOf(this.inner) === undefined ? [{ expression: this.inner }] : [];
  }

  reference(): readonly Step[] | undefined {
    return this.#isExpression ? undefined : this.inner.reference?.();
  }
}
