import { CtyError } from "./cty-error.js";
import { numberText } from "./format-number.js";
import { parseNumber } from "./parse-number.js";
import type { Type } from "./types.js";
import {
  type Value,
  falseValue,
  isTrue,
  numberOf,
  numberValue,
  textOf,
  textValue,
  trueValue,
} from "./value.js";

/** How text, numbers and bools become one another; `undefined` if they do not. */
export function primitiveConversion(
  from: Type,
  to: Type,
  unsafe: boolean,
): ((value: Value) => Value) | undefined {
  if (to.kind === "string" && from.kind === "number")
    return (value) => textValue(numberText(numberOf(value)));
  if (to.kind === "string" && from.kind === "bool") return (value) => textValue(String(isTrue(value)));
  if (!unsafe || from.kind !== "string") return undefined;
  if (to.kind === "number") {
    return (value) => {
      const number = parseNumber(textOf(value));
      if (!number) throw new CtyError("a number is required");
      return numberValue(number);
    };
  }
  return to.kind === "bool" ? textToBool : undefined;
}

function textToBool(value: Value): Value {
  const text = textOf(value);
  if (text === "true" || text === "1") return trueValue;
  if (text === "false" || text === "0") return falseValue;
  const lower = text.toLowerCase();
  const hint =
    lower === "true" || lower === "false" ? `; to convert from string, use lowercase "${lower}"` : "";
  throw new CtyError(`a bool is required${hint}`);
}
