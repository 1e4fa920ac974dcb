import { type Closure, closureOf, closureType, constraintOf, constraintType } from "../argument-decoders.js";
import { convert } from "../convert-value.js";
import { ArgumentError, CtyError } from "../cty-error.js";
import type { Diagnostic } from "../diagnostic.js";
import { rangeText } from "../range.js";
import { type Type, boolType } from "../types.js";
import { type Value, dynamicValue, falseValue, trueValue, unknownValue } from "../value.js";
import { any, at, define, variadic } from "./define.js";

const expression = { name: "expression", type: closureType };

/** Whether its argument can be evaluated. */
export const can = define([expression], boolType, (args) => {
  const diagnostics: Diagnostic[] = [];
  const value = evaluate(closureOf(at(args, 0)), diagnostics);
  if (diagnostics.length > 0) return falseValue;
  return value.isWhollyKnown ? trueValue : unknownValue(boolType);
});

/** The first of its arguments that can be evaluated. */
export const tryFirst = variadic(
  [],
  { name: "expressions", type: closureType },
  (args) => firstOf(args).type,
  firstOf,
);

function firstOf(args: readonly Value[]): Value {
  if (args.length === 0) throw new CtyError("at least one argument is required");
  const all: Diagnostic[] = [];
  for (const arg of args) {
    const own: Diagnostic[] = [];
    const value = evaluate(closureOf(arg), own);
    if (own.length === 0) return value.isWhollyKnown ? value : dynamicValue;
    all.push(...own);
  }
  const lines = all.map(({ summary, detail, subject }) => {
    const place = subject ? ` (at ${rangeText(subject)})` : "";
    return `- ${summary}${place}\n  ${detail}\n`;
  });
  const text = `no expression succeeded:\n${lines.join("")}\nAt least one expression must produce a successful result`;
  throw new CtyError(text);
}

function evaluate(closure: Closure, diagnostics: Diagnostic[]): Value {
  return closure.expression.value(closure.scope, diagnostics);
}

/** A value as one of the type that the second argument describes. */
export const convertTo = define(
  [any("value", { allowNull: true, allowDynamic: true }), { name: "type", type: constraintType }],
  (args) => converted(at(args, 0), constraintOf(at(args, 1))).type,
  // To the type that came out, as go-cty has it: an attribute that may be missing is then asked for.
  (args, type) => converted(at(args, 0), type),
);

function converted(value: Value, type: Type): Value {
  try {
    return convert(value, type);
  } catch (error) {
    if (error instanceof CtyError) throw new ArgumentError(0, error.message);
    throw error;
  }
}
