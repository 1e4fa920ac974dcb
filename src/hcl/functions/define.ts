import type { HclFunction, Parameter } from "../call-function.js";
import { CtyError } from "../cty-error.js";
import { type Type, boolType, dynamicType, listOf, numberType, setOf, stringType } from "../types.js";
import { type Value, numberOf } from "../value.js";

type Flags = Omit<Parameter, "name" | "type">;

/** Parameters by what they take. */
export const text = (name: string, flags: Flags = {}): Parameter => ({ name, type: stringType, ...flags });
export const number = (name: string, flags: Flags = {}): Parameter => ({ name, type: numberType, ...flags });
export const bool = (name: string, flags: Flags = {}): Parameter => ({ name, type: boolType, ...flags });
export const any = (name: string, flags: Flags = {}): Parameter => ({ name, type: dynamicType, ...flags });
export const list = (name: string, element: Type, flags: Flags = {}): Parameter => ({
  name,
  type: listOf(element),
  ...flags,
});
export const set = (name: string): Parameter => ({ name, type: setOf(dynamicType), allowDynamic: true });

export const dynamic: Flags = { allowDynamic: true };
/** Takes whatever it is given: null, unknown, of no type. */
export const open: Flags = { allowNull: true, allowUnknown: true, allowDynamic: true };

/** A function with so many arguments and no more. */
export function define(
  parameters: readonly Parameter[],
  returns: HclFunction["returns"],
  run: (args: readonly Value[], type: Type) => Value,
): HclFunction {
  return { parameters, returns, run };
}

/** A function whose last parameter may be given any number of times. */
export function variadic(
  parameters: readonly Parameter[],
  rest: Parameter,
  returns: HclFunction["returns"],
  run: (args: readonly Value[], type: Type) => Value,
): HclFunction {
  return { parameters, variadic: rest, returns, run };
}

/** An argument that is there. */
export function at(args: readonly Value[], index: number): Value {
  return args[index] as Value;
}

/** A number as a Go `int`. Throws a CtyError for what is none. */
export function wholeNumber(value: Value): number {
  const given = numberOf(value);
  const whole = given.truncate();
  if (
    !given.isInteger ||
    whole === undefined ||
    whole > 0x7fffffffffffffffn ||
    whole < -0x8000000000000000n
  ) {
    throw new CtyError("value must be a whole number, between -9223372036854775808 and 9223372036854775807");
  }
  return Number(whole);
}
