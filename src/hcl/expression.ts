import type { Diagnostic } from "./diagnostic.js";
import type { Range } from "./range.js";
import type { Scope } from "./scope.js";
import type { Value } from "./value.js";

/** A step from a value to a part of it; the first of a reference names a variable. */
export type Step =
  | { readonly kind: "root"; readonly name: string; readonly range: Range }
  | { readonly kind: "attribute"; readonly name: string; readonly range: Range }
  | { readonly kind: "index"; readonly key: Value; readonly range: Range };

/** A part of an expression; `locals` are names that mean something else in it than outside. */
export interface Child {
  readonly expression: Expression;
  readonly locals?: ReadonlySet<string>;
}

/** A call that is written as such, for what is read rather than evaluated, as types are. */
export interface StaticCall {
  readonly name: string;
  readonly nameRange: Range;
  readonly argsRange: Range;
  readonly args: readonly Expression[];
}

/** An expression of native syntax or of JSON's. */
export interface Expression {
  readonly range: Range;
  /** Where an error is shown that is about the expression as a whole. */
  readonly startRange: Range;
  /** Its value in a scope; what goes wrong is added, and then the value is unknown, wholly or in part. */
  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value;
  children(): readonly Child[];
  /** The steps of a plain reference. */
  reference?(): readonly Step[] | undefined;
  /** The elements of a list that is written out. */
  list?(): readonly Expression[] | undefined;
  /** Keys and values of an object that is written out. */
  pairs?(): readonly (readonly [Expression, Expression])[] | undefined;
  call?(): StaticCall | undefined;
}

/** The one word that an expression consists of. */
export function keywordOf(expression: Expression): string | undefined {
  const steps = expression.reference?.();
  const [first] = steps ?? [];
  return steps?.length === 1 && first?.kind === "root" ? first.name : undefined;
}
