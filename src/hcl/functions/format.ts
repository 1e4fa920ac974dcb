import { ArgumentError, CtyError } from "../cty-error.js";
import { listOf, stringType } from "../types.js";
import { type Value, itemsOf, lengthOf, listValue, textOf, textValue, unknownValue } from "../value.js";
import { any, open, text, variadic } from "./define.js";
import { formatText } from "./format-verbs.js";

export const format = variadic([text("format")], any("args", open), stringType, ([template, ...args]) => {
  if (args.some((arg) => !arg.isWhollyKnown)) return unknownValue(stringType);
  return textValue(formatText(textOf(template as Value), args));
});

/** One text for each element of the lists among its arguments. */
export const formatList = variadic(
  [text("format")],
  any("args", open),
  listOf(stringType),
  ([template, ...args], type) => {
    const pattern = textOf(template as Value);
    if (args.length === 0) return listValue([textValue(formatText(pattern, []))]);
    const isList = ({ type: { kind }, isNull }: Value) =>
      !isNull && (kind === "list" || kind === "set" || kind === "tuple");
    if (args.some((arg) => !arg.isKnown)) return unknownValue(type);
    const first = args.findIndex(isList);
    const count = first < 0 ? 1 : lengthOf(args[first] as Value);
    for (const [index, arg] of args.entries()) {
      if (!isList(arg) || lengthOf(arg) === count) continue;
      throw new ArgumentError(
        index + 1,
        `argument ${index + 1} has length ${lengthOf(arg)}, which is inconsistent with argument ${first + 1} of length ${count}`,
      );
    }
    const results = Array.from({ length: count }, (_, position) => {
      const own = args.map((arg) => (isList(arg) ? (itemsOf(arg)[position] as Value) : arg));
      if (own.some((arg) => !arg.isWhollyKnown)) return unknownValue(stringType);
      try {
        return textValue(formatText(pattern, own));
      } catch (error) {
        if (!(error instanceof CtyError)) throw error;
        throw new CtyError(`error on format iteration ${position}: ${error.message}`);
      }
    });
    return listValue(results, stringType);
  },
);
