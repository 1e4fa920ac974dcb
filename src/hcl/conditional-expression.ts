import { conversionFor, unify } from "./convert.js";
import { convert } from "./convert-value.js";
import { CtyError } from "./cty-error.js";
import { type Diagnostic, report } from "./diagnostic.js";
import type { Child, Expression } from "./expression.js";
import { goQuote } from "./go-quote.js";
import { type Range, rangeBetween } from "./range.js";
import type { Scope } from "./scope.js";
import { type Type, boolType, dynamicType, isCollection, sameType, typeName } from "./types.js";
import type { Conversion } from "./unify.js";
import { type Value, dynamicValue, isTrue, nullValue, unknownValue } from "./value.js";

/** `condition ? yes : no`: both results become one type, and only the chosen one's errors count. */
export class ConditionalExpression implements Expression {
  readonly condition: Expression;
  readonly yes: Expression;
  readonly no: Expression;
  readonly range: Range;

  constructor(condition: Expression, yes: Expression, no: Expression, range: Range) {
    this.condition = condition;
    this.yes = yes;
    this.no = no;
    this.range = range;
  }

  get startRange(): Range {
    return this.condition.startRange;
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const yesDiagnostics: Diagnostic[] = [];
    const noDiagnostics: Diagnostic[] = [];
    const yes = this.yes.value(scope, yesDiagnostics);
    const no = this.no.value(scope, noDiagnostics);
    const unified = commonType(yes, no);
    if (!unified) {
      const subject = rangeBetween(this.yes.range, this.no.range);
      const detail = `The true and false result expressions must have consistent types. ${describe(yes.type, no.type)}.`;
      report(diagnostics, subject, "Inconsistent conditional result types", detail);
      return dynamicValue;
    }
    const condition = this.condition.value(scope, diagnostics);
    if (condition.isNull) {
      const detail = "The condition value is null. Conditions must either be true or false.";
      report(diagnostics, this.condition.range, "Null condition", detail);
      return unknownValue(unified.type);
    }
    if (!condition.isKnown) {
      return yes.isNull && no.isNull ? nullValue(unified.type) : unknownValue(unified.type);
    }
    let chosen: Value;
    try {
      chosen = convert(condition, boolType);
    } catch (error) {
      if (!(error instanceof CtyError)) throw error;
      const detail = "The condition expression must be of type bool.";
      report(diagnostics, this.condition.range, "Incorrect condition type", detail);
      return unknownValue(unified.type);
    }
    const isYes = isTrue(chosen);
    diagnostics.push(...(isYes ? yesDiagnostics : noDiagnostics));
    const conversion = unified.conversions[isYes ? 0 : 1];
    return this.#converted(isYes, isYes ? yes : no, unified.type, conversion, diagnostics);
  }

  #converted(
    isYes: boolean,
    value: Value,
    type: Type,
    conversion: Conversion | undefined,
    diagnostics: Diagnostic[],
  ) {
    if (!conversion) return value;
    try {
      return conversion(value);
    } catch (error) {
      if (!(error instanceof CtyError)) throw error;
      const detail = `The ${isYes} result value has the wrong type: ${error.message}.`;
      report(
        diagnostics,
        (isYes ? this.yes : this.no).range,
        "Inconsistent conditional result types",
        detail,
      );
      return unknownValue(type);
    }
  }

  children(): Child[] {
    return [{ expression: this.condition }, { expression: this.yes }, { expression: this.no }];
  }
}

function commonType(yes: Value, no: Value) {
  const isOpenNull = (value: Value) => value.isNull && value.type.kind === "dynamic";
  if (isOpenNull(yes))
    return { type: no.type, conversions: [conversionFor(dynamicType, no.type, true), undefined] };
  if (isOpenNull(no))
    return { type: yes.type, conversions: [undefined, conversionFor(dynamicType, yes.type, true)] };
  if (yes.type.kind === "dynamic" || no.type.kind === "dynamic")
    return { type: dynamicType, conversions: [] };
  return unify([yes.type, no.type], true);
}

/** Where two types differ. hclsyntax/expression.go `describeConditionalTypeMismatch`. */
function describe(yes: Type, no: Type): string {
  if (yes.kind === "object" && no.kind === "object") {
    for (const [name, type] of yes.attributes) {
      const other = no.attributes.get(name);
      const quoted = goQuote(name);
      if (!other)
        return `The 'true' value includes object attribute ${quoted}, which is absent in the 'false' value`;
      if (!sameType(type, other))
        return `Type mismatch for object attribute ${quoted}: ${describe(type, other)}`;
    }
    for (const name of no.attributes.keys()) {
      if (yes.attributes.has(name)) continue;
      return `The 'false' value includes object attribute ${goQuote(name)}, which is absent in the 'true' value`;
    }
  }
  if (yes.kind === "tuple" && no.kind === "tuple") {
    const [long, other] = [yes.elements.length, no.elements.length];
    if (long !== other)
      return `The 'true' tuple has length ${long}, but the 'false' tuple has length ${other}`;
    for (const [at, type] of yes.elements.entries()) {
      const element = no.elements[at] as Type;
      if (!sameType(type, element))
        return `Type mismatch for tuple element ${at}: ${describe(type, element)}`;
    }
  }
  if (isCollection(yes) && isCollection(no) && yes.kind === no.kind) {
    const { kind } = yes.element;
    if (kind === no.element.kind && (kind === "object" || kind === "tuple")) {
      return `Mismatched ${yes.kind} element types: ${describe(yes.element, no.element)}`;
    }
  }
  if (typeName(yes) === typeName(no)) {
    return "At least one deeply-nested attribute or element is not compatible across both the 'true' and the 'false' value";
  }
  return `The 'true' value is ${typeName(yes)}, but the 'false' value is ${typeName(no)}`;
}
