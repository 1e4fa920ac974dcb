import { convert } from "./convert-value.js";
import { CtyError } from "./cty-error.js";
import { type Diagnostic, report } from "./diagnostic.js";
import type { Child, Expression } from "./expression.js";
import { goQuote } from "./go-quote.js";
import type { Range } from "./range.js";
import { type Scope, childScope } from "./scope.js";
import { boolType, stringType, typeName } from "./types.js";
import {
  type Value,
  canIterate,
  dynamicValue,
  entriesOf,
  isTrue,
  objectValue,
  textOf,
  tupleValue,
} from "./value.js";

/** What a `for` consists of; without `key` it makes a tuple. */
export interface ForParts {
  readonly keyName: string | undefined;
  readonly valueName: string;
  readonly collection: Expression;
  readonly key: Expression | undefined;
  readonly item: Expression;
  readonly condition: Expression | undefined;
  /** Items of one key become a tuple. */
  readonly group: boolean;
}

/** `[for v in c : e if f]` or `{for k, v in c : e => e}`. hclsyntax/expression.go `ForExpr`. */
export class ForExpression implements Expression {
  readonly range: Range;
  readonly startRange: Range;
  readonly #parts: ForParts;

  constructor(parts: ForParts, range: Range, open: Range) {
    this.#parts = parts;
    this.range = range;
    this.startRange = open;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const { collection: from } = this.#parts;
    const collection = from.value(scope, diagnostics);
    if (collection.isNull) {
      const detail = "A null value cannot be used as the collection in a 'for' expression.";
      report(diagnostics, from.range, "Iteration over null value", detail);
      return dynamicValue;
    }
    if (collection.type.kind === "dynamic") return dynamicValue;
    if (!canIterate(collection)) {
      const detail = `A value of type ${typeName(collection.type)} cannot be used as the collection in a 'for' expression.`;
      report(diagnostics, from.range, "Iteration over non-iterable value", detail);
      return dynamicValue;
    }
    if (!this.#conditionIsSound(scope, diagnostics) || !collection.isKnown) return dynamicValue;
    return this.#parts.key
      ? this.#object(collection, scope, diagnostics, this.#parts.key)
      : this.#tuple(collection, scope, diagnostics);
  }

  children(): Child[] {
    const { collection, key, item, condition, keyName, valueName } = this.#parts;
    const locals = new Set(keyName === undefined ? [valueName] : [keyName, valueName]);
    const inner = [key, item, condition].filter((expression) => expression !== undefined);
    return [{ expression: collection }, ...inner.map((expression) => ({ expression, locals }))];
  }

  #scope(scope: Scope | undefined, key: Value, value: Value): Scope {
    const { keyName, valueName } = this.#parts;
    return childScope(scope, keyName === undefined ? [[valueName, value]] : [[keyName, key], [valueName, value]]); // prettier-ignore
  }

  /** The condition must be a bool whatever the elements are, so that an empty collection does not hide its errors. */
  #conditionIsSound(scope: Scope | undefined, diagnostics: Diagnostic[]): boolean {
    const { condition } = this.#parts;
    if (!condition) return true;
    const before = diagnostics.length;
    const result = condition.value(this.#scope(scope, dynamicValue, dynamicValue), diagnostics);
    if (result.isNull) {
      report(
        diagnostics,
        condition.range,
        "Condition is null",
        "The value of the 'if' clause must not be null.",
      );
    } else {
      this.#toBool(result, condition, diagnostics);
    }
    return diagnostics.length === before;
  }

  #toBool(result: Value, condition: Expression, diagnostics: Diagnostic[]): Value | undefined {
    try {
      return convert(result, boolType);
    } catch (error) {
      if (!(error instanceof CtyError)) throw error;
      const detail = `The 'if' clause value is invalid: ${error.message}.`;
      report(diagnostics, condition.range, "Invalid 'for' condition", detail);
      return undefined;
    }
  }

  /** Whether an element is taken; `undefined` if that cannot be said, which is told once. */
  #isTaken(scope: Scope, diagnostics: Diagnostic[], tell: boolean): boolean | undefined {
    const { condition } = this.#parts;
    if (!condition) return true;
    const result = condition.value(scope, diagnostics);
    const told = tell ? diagnostics : [];
    if (result.isNull) {
      report(
        told,
        condition.range,
        "Invalid 'for' condition",
        "The value of the 'if' clause must not be null.",
      );
      return undefined;
    }
    const include = this.#toBool(result, condition, told);
    return include?.isKnown ? isTrue(include) : undefined;
  }

  #tuple(collection: Value, scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const items: Value[] = [];
    let known = true;
    for (const [key, value] of entriesOf(collection)) {
      const inner = this.#scope(scope, key, value);
      const taken = this.#isTaken(inner, diagnostics, known);
      if (taken === undefined) known = false;
      else if (taken) items.push(this.#parts.item.value(inner, diagnostics));
    }
    return known ? tupleValue(items) : dynamicValue;
  }

  #object(
    collection: Value,
    scope: Scope | undefined,
    diagnostics: Diagnostic[],
    keyExpression: Expression,
  ): Value {
    const { group, item } = this.#parts;
    const items = new Map<string, Value[]>();
    let known = true;
    for (const [key, value] of entriesOf(collection)) {
      const inner = this.#scope(scope, key, value);
      const taken = this.#isTaken(inner, diagnostics, known);
      if (taken === undefined) known = false;
      if (!taken) continue;
      const name = this.#keyText(keyExpression, inner, diagnostics, known);
      if (name === undefined) {
        known = false;
        continue;
      }
      const result = item.value(inner, diagnostics);
      const others = items.get(name);
      if (!others) items.set(name, [result]);
      else if (group) others.push(result);
      else {
        const detail = `Two different items produced the key ${goQuote(name)} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key.`;
        report(diagnostics, keyExpression.range, "Duplicate object key", detail);
      }
    }
    if (!known) return dynamicValue;
    return objectValue([...items].map(([name, all]) => [name, group ? tupleValue(all) : (all[0] as Value)]));
  }

  #keyText(key: Expression, scope: Scope, diagnostics: Diagnostic[], tell: boolean): string | undefined {
    const given = key.value(scope, diagnostics);
    const told = tell ? diagnostics : [];
    if (given.isNull) {
      const detail = "Key expression in 'for' expression must not produce a null value.";
      report(told, key.range, "Invalid object key", detail);
      return undefined;
    }
    if (!given.isKnown) return undefined;
    try {
      return textOf(convert(given, stringType));
    } catch (error) {
      if (!(error instanceof CtyError)) throw error;
      report(
        told,
        key.range,
        "Invalid object key",
        `The key expression produced an invalid result: ${error.message}.`,
      );
      return undefined;
    }
  }
}
