import { ArgumentError, CtyError } from "./cty-error.js";
import { type Type, dynamicType } from "./types.js";
import { type Value, unknownValue } from "./value.js";

/** What a function takes at one place. */
export interface Parameter {
  readonly name: string;
  readonly type: Type;
  readonly allowNull?: boolean;
  /** Called also with values that are not known yet. */
  readonly allowUnknown?: boolean;
  /** Called also with values whose type is not known yet. */
  readonly allowDynamic?: boolean;
}

/** A function of the language. Both callbacks throw a CtyError for arguments that they cannot use. */
export interface HclFunction {
  readonly parameters: readonly Parameter[];
  readonly variadic?: Parameter;
  /** The type of what it gives; `undefined` where only running it can tell. */
  readonly returns: Type | ((args: readonly Value[]) => Type) | undefined;
  readonly run: (args: readonly Value[], type: Type) => Value;
}

/** The parameter that an argument belongs to. */
export function parameterAt(called: HclFunction, index: number): Parameter | undefined {
  return called.parameters[index] ?? called.variadic;
}

/** Calls a function with values of its parameters' types. go-cty 1.17 function/function.go. */
export function callFunction(called: HclFunction, args: readonly Value[]): Value {
  let unknown = false;
  for (const [index, value] of args.entries()) {
    const parameter = parameterAt(called, index) as Parameter;
    if (value.isNull && !parameter.allowNull) throw new ArgumentError(index, "argument must not be null");
    if (value.type.kind === "dynamic" && !parameter.allowDynamic) return unknownValue(dynamicType);
    if (!value.isKnown && !parameter.allowUnknown) unknown = true;
  }
  const type = typeof called.returns === "function" ? called.returns(args) : (called.returns ?? dynamicType);
  if (unknown) return unknownValue(type);
  try {
    return called.run(args, type);
  } catch (error) {
    if (error instanceof RangeError) throw new CtyError(`panic in function implementation: ${error.message}`);
    throw error;
  }
}
