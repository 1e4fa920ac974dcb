import type { Diagnostic } from "./diagnostic.js";
import type { Expression } from "./expression.js";
import type { Scope } from "./scope.js";
import { typeConstraint } from "./type-expression.js";
import type { Type } from "./types.js";
import { type Value, capsuleValue, contentOf, unknownValue } from "./value.js";

/** A parameter of this type gets its argument's expression, not yet evaluated. */
export const closureType: Type = { kind: "capsule", name: "expression closure" };

/** A parameter of this type gets the type that its argument describes. */
export const constraintType: Type = { kind: "capsule", name: "type constraint" };

/** An expression and the scope that it is to be evaluated in. */
export interface Closure {
  readonly expression: Expression;
  readonly scope: Scope | undefined;
}

/** The argument of a parameter that does not take a value; `undefined` for those that do. */
export function decodeArgument(
  type: Type,
  expression: Expression,
  scope: Scope | undefined,
  diagnostics: Diagnostic[],
): Value | undefined {
  if (type === closureType) return capsuleValue(closureType, { expression, scope } satisfies Closure);
  if (type !== constraintType) return undefined;
  const before = diagnostics.length;
  const constraint = typeConstraint(expression, diagnostics);
  return diagnostics.length > before
    ? unknownValue(constraintType)
    : capsuleValue(constraintType, constraint);
}

export function closureOf(value: Value): Closure {
  return contentOf(value) as Closure;
}

export function constraintOf(value: Value): Type {
  return contentOf(value) as Type;
}
