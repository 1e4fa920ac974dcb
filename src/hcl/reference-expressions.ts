import type { Diagnostic } from "./diagnostic.js";
import type { Child, Expression, Step } from "./expression.js";
import { type Range, rangeBetween } from "./range.js";
import type { Scope } from "./scope.js";
import { follow, indexValue, traverse } from "./traverse.js";
import { type Value, dynamicValue, isTrue } from "./value.js";

/** A value that is written out; also what stands for an expression that could not be read. */
export class LiteralExpression implements Expression {
  readonly result: Value;
  readonly range: Range;

  constructor(result: Value, range: Range) {
    this.result = result;
    this.range = range;
  }

  get startRange(): Range {
    return this.range;
  }

  value(): Value {
    return this.result;
  }

  children(): Child[] {
    return [];
  }

  reference(): Step[] | undefined {
    if (this.result.isNull) return [{ kind: "root", name: "null", range: this.range }];
    if (this.result.type.kind !== "bool") return undefined;
    return [{ kind: "root", name: String(isTrue(this.result)), range: this.range }];
  }
}

/** An expression that could not be read, where that matters to what is around it. */
export class BrokenExpression extends LiteralExpression {
  readonly #diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[], range: Range) {
    super(dynamicValue, range);
    this.#diagnostics = [...diagnostics];
  }

  override value(_scope?: Scope, diagnostics: Diagnostic[] = []): Value {
    diagnostics.push(...this.#diagnostics);
    return this.result;
  }
}

/** A variable, or a part of one. */
export class VariableExpression implements Expression {
  readonly steps: readonly Step[];
  readonly range: Range;

  constructor(steps: readonly Step[], range: Range) {
    this.steps = steps;
    this.range = range;
  }

  get startRange(): Range {
    return this.range;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    return traverse(scope, this.steps, diagnostics);
  }

  children(): Child[] {
    return [];
  }

  reference(): readonly Step[] {
    return this.steps;
  }
}

/** A part of what another expression gives. */
export class PartExpression implements Expression {
  readonly source: Expression;
  readonly steps: readonly Step[];
  readonly range: Range;

  constructor(source: Expression, steps: readonly Step[], range: Range) {
    this.source = source;
    this.steps = steps;
    this.range = range;
  }

  get startRange(): Range {
    return this.range;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    return follow(this.source.value(scope, diagnostics), this.steps, diagnostics);
  }

  children(): Child[] {
    return [{ expression: this.source }];
  }

  reference(): Step[] | undefined {
    const start = this.source.reference?.();
    return start && [...start, ...this.steps];
  }
}

/** `collection[key]` with a key that is not a literal. */
export class IndexExpression implements Expression {
  readonly collection: Expression;
  readonly key: Expression;
  readonly range: Range;
  readonly startRange: Range;
  readonly #brackets: Range;

  constructor(collection: Expression, key: Expression, range: Range, open: Range, brackets: Range) {
    this.collection = collection;
    this.key = key;
    this.range = range;
    this.startRange = open;
    this.#brackets = brackets;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const collection = this.collection.value(scope, diagnostics);
    const key = this.key.value(scope, diagnostics);
    return indexValue(collection, key, this.#brackets, diagnostics);
  }

  children(): Child[] {
    return [{ expression: this.collection }, { expression: this.key }];
  }
}

/** An expression in parentheses. */
export class ParenthesesExpression implements Expression {
  readonly inner: Expression;
  readonly range: Range;

  constructor(inner: Expression, range: Range) {
    this.inner = inner;
    this.range = range;
  }

  get startRange(): Range {
    return this.inner.startRange;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    return this.inner.value(scope, diagnostics);
  }

  children(): Child[] {
    return [{ expression: this.inner }];
  }
}

/** One more step behind an expression; steps behind a reference are part of it. */
export function withStep(expression: Expression, step: Step): Expression {
  const range = rangeBetween(expression.range, step.range);
  if (expression instanceof VariableExpression)
    return new VariableExpression([...expression.steps, step], range);
  if (expression instanceof PartExpression) {
    return new PartExpression(expression.source, [...expression.steps, step], range);
  }
  return new PartExpression(expression, [step], range);
}
