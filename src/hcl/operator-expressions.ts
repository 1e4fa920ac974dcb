import { type HclFunction, type Parameter, callFunction } from "./call-function.js";
import { convert } from "./convert-value.js";
import { CtyError } from "./cty-error.js";
import { type Diagnostic, report } from "./diagnostic.js";
import type { Child, Expression } from "./expression.js";
import {
  and,
  equal,
  greaterThan,
  greaterThanOrEqual,
  lessThan,
  lessThanOrEqual,
  not,
  notEqual,
  or,
} from "./functions/logic.js";
import { add, divide, modulo, multiply, negate, subtract } from "./functions/arithmetic.js";
import { type Range, rangeBetween } from "./range.js";
import type { Scope } from "./scope.js";
import { type Type, boolType, numberType } from "./types.js";
import { type Value, falseValue, isTrue, trueValue, unknownValue } from "./value.js";

interface Operation {
  readonly function: HclFunction;
  readonly type: Type;
  /** How tightly it binds; the largest first. */
  readonly level: number;
  /** The value of one side that decides, whatever the other is. */
  readonly decides?: boolean;
}

const binary: Record<string, Operation> = {
  "||": { function: or, type: boolType, level: 1, decides: true },
  "&&": { function: and, type: boolType, level: 2, decides: false },
  "==": { function: equal, type: boolType, level: 3 },
  "!=": { function: notEqual, type: boolType, level: 3 },
  ">": { function: greaterThan, type: boolType, level: 4 },
  ">=": { function: greaterThanOrEqual, type: boolType, level: 4 },
  "<": { function: lessThan, type: boolType, level: 4 },
  "<=": { function: lessThanOrEqual, type: boolType, level: 4 },
  "+": { function: add, type: numberType, level: 5 },
  "-": { function: subtract, type: numberType, level: 5 },
  "*": { function: multiply, type: numberType, level: 6 },
  "/": { function: divide, type: numberType, level: 6 },
  "%": { function: modulo, type: numberType, level: 6 },
};

const unary: Record<string, Omit<Operation, "level">> = {
  "-": { function: negate, type: numberType },
  "!": { function: not, type: boolType },
};

/** How tightly a token binds as an operator between two expressions; `undefined` for what is none. */
export function bindingLevel(kind: string): number | undefined {
  return Object.hasOwn(binary, kind) ? binary[kind]?.level : undefined;
}

/** `left op right`. */
export class BinaryExpression implements Expression {
  readonly left: Expression;
  readonly right: Expression;
  readonly #operation: Operation;

  constructor(left: Expression, operator: string, right: Expression) {
    this.left = left;
    this.right = right;
    this.#operation = binary[operator] as Operation;
  }

  get range(): Range {
    return rangeBetween(this.left.range, this.right.range);
  }

  get startRange(): Range {
    return this.left.startRange;
  }

  children(): Child[] {
    return [{ expression: this.left }, { expression: this.right }];
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const { function: called, type, decides } = this.#operation;
    const own: Diagnostic[] = [];
    const leftOwn: Diagnostic[] = [];
    const rightOwn: Diagnostic[] = [];
    const [first, second] = called.parameters as unknown as [Parameter, Parameter];
    const left = operand(this.left, this.left.value(scope, leftOwn), first.type, "left", own);
    const right = operand(this.right, this.right.value(scope, rightOwn), second.type, "right", own);
    if (!left || !right) {
      diagnostics.push(...own, ...leftOwn, ...rightOwn);
      return unknownValue(type);
    }
    if (decides !== undefined) {
      const sides = [
        { value: left, own: leftOwn },
        { value: right, own: rightOwn },
      ] as const;
      const decided = shortCut(sides, decides, diagnostics);
      if (decided) return decided;
    }
    const before = diagnostics.length;
    diagnostics.push(...leftOwn, ...rightOwn);
    if (diagnostics.length > before) return unknownValue(type);
    return operate(called, [left, right], type, this.range, diagnostics);
  }
}

/** `-a` and `!a`. */
export class UnaryExpression implements Expression {
  readonly inner: Expression;
  readonly range: Range;
  readonly startRange: Range;
  readonly #operation: Omit<Operation, "level">;

  constructor(operator: string, symbol: Range, inner: Expression) {
    this.inner = inner;
    this.range = rangeBetween(symbol, inner.range);
    this.startRange = symbol;
    this.#operation = unary[operator] as Operation;
  }

  children(): Child[] {
    return [{ expression: this.inner }];
  }

  value(scope: Scope | undefined, diagnostics: Diagnostic[]): Value {
    const { function: called, type } = this.#operation;
    const before = diagnostics.length;
    const given = this.inner.value(scope, diagnostics);
    const value = operand(this.inner, given, type, "unary", diagnostics);
    if (!value || diagnostics.length > before) return unknownValue(type);
    return operate(called, [value], type, this.range, diagnostics);
  }
}

function operand(expression: Expression, value: Value, type: Type, side: string, diagnostics: Diagnostic[]) {
  try {
    return convert(value, type);
  } catch (error) {
    if (!(error instanceof CtyError)) throw error;
    const detail = `Unsuitable value for ${side} operand: ${error.message}.`;
    report(diagnostics, expression.range, "Invalid operand", detail);
    return undefined;
  }
}

function operate(
  called: HclFunction,
  args: Value[],
  type: Type,
  range: Range,
  diagnostics: Diagnostic[],
): Value {
  try {
    return callFunction(called, args);
  } catch (error) {
    if (!(error instanceof CtyError)) throw error;
    report(diagnostics, range, "Operation failed", `Error during operation: ${error.message}.`);
    return unknownValue(type);
  }
}

/** What one side alone decides, with the errors of that side only. hclsyntax/expression_ops.go `ShortCircuit`. */
function shortCut(
  [left, right]: readonly [Side, Side],
  decides: boolean,
  diagnostics: Diagnostic[],
): Value | undefined {
  if (!left.value.isKnown && !right.value.isKnown)
    return left.own.length === 0 ? unknownValue(boolType) : undefined;
  // Null counts as false here, and is refused only where it decides nothing.
  const is = ({ value }: Side, wanted: boolean) => value.isKnown && isTrue(value) === wanted;
  const given = (side: Side, result: Value) => {
    diagnostics.push(...side.own);
    return result;
  };
  const result = decides ? trueValue : falseValue;
  if (is(left, decides)) return given(left, result);
  if (is(right, decides)) return given(right, result);
  if (!left.value.isKnown && is(right, !decides)) return given(left, unknownValue(boolType));
  if (!right.value.isKnown && is(left, !decides)) return given(right, unknownValue(boolType));
  return undefined;
}

/** One side of an operator: its value, and what was found on the way to it. */
interface Side {
  readonly value: Value;
  readonly own: readonly Diagnostic[];
}
