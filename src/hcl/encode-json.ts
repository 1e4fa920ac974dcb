import { CtyError } from "./cty-error.js";
import { numberText } from "./format-number.js";
import { type Value, fieldsOf, isTrue, itemsOf, numberOf, textOf } from "./value.js";

const escapes: Record<string, string> = { "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029" }; // prettier-ignore

/** A text as Go's encoding/json writes it, with what HTML takes for its own escaped. */
export function jsonText(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => escapes[char] as string);
}

/** A known value as JSON, names in their order. Throws a CtyError for infinity. go-cty 1.17 json/marshal.go. */
export function encodeJson(value: Value): string {
  if (value.isNull) return "null";
  switch (value.type.kind) {
    case "string":
      return jsonText(textOf(value));
    case "number":
      if (numberOf(value).infinite) throw new CtyError("cannot serialize infinity as JSON");
      return numberText(numberOf(value));
    case "bool":
      return String(isTrue(value));
    case "list":
    case "set":
    case "tuple":
      return `[${itemsOf(value).map(encodeJson).join(",")}]`;
    case "map":
    case "object":
      return `{${[...fieldsOf(value)].map(([name, item]) => `${jsonText(name)}:${encodeJson(item)}`).join(",")}}`;
    default:
      throw new CtyError(`cannot JSON-serialize ${value.type.kind}`);
  }
}
