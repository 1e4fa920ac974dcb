import { BigFloat } from "../big-float.js";
import { ArgumentError, CtyError } from "../cty-error.js";
import { goQuote } from "../go-quote.js";
import { numberType, typeName } from "../types.js";
import { integerValue, numberOf, numberValue, textOf, type Value } from "../value.js";
import { any, at, define, dynamic, number, variadic, wholeNumber } from "./define.js";

const pair = [number("a", dynamic), number("b", dynamic)];

export const add = operation((a, b) => a.plus(b), "can't compute sum of opposing infinities");
export const subtract = operation((a, b) => a.minus(b), "can't subtract infinity from itself");
export const multiply = operation((a, b) => a.times(b), "can't multiply zero by infinity");
export const divide = operation(
  (a, b) => a.dividedBy(b),
  "can't divide zero by zero or infinity by infinity",
);
export const modulo = operation(remainder, "can't use modulo with zero and infinity");

export const negate = define([number("num", dynamic)], numberType, (args) =>
  numberValue(numberOf(at(args, 0)).negated()),
);
export const absolute = define([number("num", dynamic)], numberType, (args) =>
  numberValue(numberOf(at(args, 0)).absolute()),
);

export const min = extreme((order) => order < 0);
export const max = extreme((order) => order > 0);

export const int = define([number("num", dynamic)], numberType, (args) => {
  const given = numberOf(at(args, 0));
  const whole = given.truncate();
  if (given.isInteger || whole === undefined) return at(args, 0);
  return integerValue(whole);
});

export const ceil = rounding((whole, given) => (given.negative ? whole : whole + 1n));
export const floor = rounding((whole, given) => (given.negative ? whole - 1n : whole));

export const log = define([number("num"), number("base")], numberType, (args) =>
  numberValue(BigFloat.double(Math.log(double(at(args, 0))) / Math.log(double(at(args, 1))))),
);

export const pow = define([number("num"), number("power")], numberType, (args) =>
  numberValue(BigFloat.double(double(at(args, 0)) ** double(at(args, 1)))),
);

export const signum = define([number("num")], numberType, (args) =>
  integerValue(Math.sign(wholeNumber(at(args, 0)))),
);

export const parseInteger = define(
  [any("number"), number("base")],
  ([given]) => {
    if (given?.type.kind === "string") return numberType;
    throw new ArgumentError(0, `first argument must be a string, not ${typeName((given as Value).type)}`);
  },
  (args) => {
    const digits = textOf(at(args, 0));
    const base = wholeNumber(at(args, 1));
    if (base < 2 || base > 62)
      throw new ArgumentError(1, "base must be a whole number between 2 and 62 inclusive");
    const parsed = integerOf(digits, base);
    if (parsed === undefined)
      throw new ArgumentError(0, `cannot parse ${goQuote(digits)} as a base ${base} integer`);
    return integerValue(parsed);
  },
);

function operation(run: (a: BigFloat, b: BigFloat) => BigFloat, refusal: string) {
  return define(pair, numberType, (args) => {
    try {
      return numberValue(run(numberOf(at(args, 0)), numberOf(at(args, 1))));
    } catch (error) {
      if (error instanceof RangeError) throw new CtyError(refusal);
      throw error;
    }
  });
}

function remainder(a: BigFloat, b: BigFloat): BigFloat {
  if (a.infinite || b.infinite) return a.times(b);
  if (b.isZero) return a;
  const whole = a.dividedBy(b).truncate() ?? 0n;
  const times = BigFloat.of(whole < 0n, whole < 0n ? -whole : whole, 0, a.precision);
  const product = BigFloat.of(
    b.negative !== times.negative,
    b.mantissa * times.mantissa,
    b.exponent + times.exponent,
    a.precision,
  );
  return a.minus(product).withPrecision(a.precision);
}

function extreme(better: (order: number) => boolean) {
  return variadic([], number("numbers", dynamic), numberType, (args) => {
    if (args.length === 0) throw new CtyError("must pass at least one number");
    return args.reduce((best, next) => (better(numberOf(next).compare(numberOf(best))) ? next : best));
  });
}

function rounding(adjust: (whole: bigint, given: BigFloat) => bigint) {
  return define([number("num")], numberType, (args) => {
    const given = numberOf(at(args, 0));
    const whole = given.truncate();
    if (whole === undefined) return at(args, 0);
    // Also what is whole already goes through a whole number, which knows no -0 (go-cty 1.17 stdlib/number.go).
    const result = given.isInteger ? whole : adjust(whole, given);
    return numberValue(BigFloat.of(result < 0n, result < 0n ? -result : result, 0, given.precision));
  });
}

function double(value: Value): number {
  return numberOf(value).toDouble();
}

/** Go's `big.Int.SetString`: in bases above 36, capitals are digits of their own. */
function integerOf(text: string, base: number): bigint | undefined {
  const [, sign, digits = ""] = /^([+-]?)([0-9a-zA-Z]+)$/.exec(text) ?? [];
  if (digits === "") return undefined;
  let value = 0n;
  for (const char of digits) {
    const digit = digitOf(char, base);
    if (digit >= base) return undefined;
    value = value * BigInt(base) + BigInt(digit);
  }
  return sign === "-" ? -value : value;
}

function digitOf(char: string, base: number): number {
  const code = char.charCodeAt(0);
  if (code <= 57) return code - 48;
  if (code >= 97) return code - 87;
  return base > 36 ? code - 29 : code - 55;
}
