import { type Diagnostic, report } from "./diagnostic.js";
import type { Child, Expression } from "./expression.js";
import type { Range } from "./range.js";
import type { Scope } from "./scope.js";
import { type CollectionType, type Type, dynamicType } from "./types.js";
import { type Value, areAlike, dynamicValue, itemsOf, listValue, tupleValue, unknownValue } from "./value.js";

/** Stands in a splat for the element that is looked at. */
export class ElementExpression implements Expression {
  readonly range: Range;
  #current = dynamicValue;

  constructor(range: Range) {
    this.range = range;
  }

  get startRange(): Range {
    return this.range;
  }

  value(): Value {
    return this.#current;
  }

  children(): Child[] {
    return [];
  }

  /** Evaluates an expression with this as the element. */
  as<Result>(element: Value, evaluate: () => Result): Result {
    const before = this.#current;
    this.#current = element;
    try {
      return evaluate();
    } finally {
      this.#current = before;
    }
  }
}

/** `source[*].a` or `source.*.a`: the same part of each element. A single value is a list of one, null of none. */
export class SplatExpression implements Expression {
  readonly source: Expression;
  readonly each: Expression;
  readonly range: Range;
  readonly startRange: Range;
  readonly #element: ElementExpression;

  constructor(source: Expression, each: Expression, element: ElementExpression, range: Range, marker: Range) {
    this.source = source;
    this.each = each;
    this.#element = element;
    this.range = range;
    this.startRange = marker;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const before = diagnostics.length;
    let source = this.source.value(scope, diagnostics);
    if (diagnostics.length > before) return dynamicValue;
    const { kind } = source.type;
    const isSequence = kind === "tuple" || kind === "list" || kind === "set";
    if (source.isNull) {
      if (!isSequence) return tupleValue([]);
      const detail = "Splat expressions (with the * symbol) cannot be applied to null sequences.";
      report(diagnostics, this.source.range, "Splat of null value", detail);
      return dynamicValue;
    }
    if (kind === "dynamic") return dynamicValue;
    if (!isSequence) {
      if (!source.isKnown) return dynamicValue;
      source = tupleValue([source]);
    }
    const each = (element: Value, into: Diagnostic[]) =>
      this.#element.as(element, () => this.each.value(scope, into));
    if (!source.isKnown) return unknownValue(this.#resultType(source.type, each, diagnostics));
    const evaluated = diagnostics.length;
    const items = itemsOf(source).map((element) => each(element, diagnostics));
    if (diagnostics.length > evaluated) return unknownValue(this.#resultType(source.type, each, []));
    if (source.type.kind === "tuple") return tupleValue(items);
    if (items.length === 0) {
      const type = this.#resultType(source.type, each, diagnostics);
      return listValue([], (type as CollectionType).element);
    }
    if (areAlike(items)) return listValue(items);
    const detail =
      "The second level of splat expression produced elements of different types, so it isn't possible to construct a valid list to represent the top-level result.\n\nConsider using a for expression instead, to produce a tuple-typed result which can therefore have non-homogenous element types.";
    report(diagnostics, this.each.range, "Invalid nested splat expressions", detail);
    return dynamicValue;
  }

  children(): Child[] {
    return [{ expression: this.source }, { expression: this.each }];
  }

  #resultType(
    type: Type,
    each: (element: Value, into: Diagnostic[]) => Value,
    diagnostics: Diagnostic[],
  ): Type {
    const partOf = (element: Type) => each(unknownValue(element), diagnostics).type;
    if (type.kind === "list" || type.kind === "set") return { kind: "list", element: partOf(type.element) };
    if (type.kind === "tuple") return { kind: "tuple", elements: type.elements.map(partOf) };
    return dynamicType;
  }
}
