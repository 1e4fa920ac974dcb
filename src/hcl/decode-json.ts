import { CtyError } from "./cty-error.js";
import type { Diagnostic } from "./diagnostic.js";
import { type JsonNode, parseJsonNode } from "./json-node.js";
import { dynamicType } from "./types.js";
import {
  type Value,
  boolValue,
  nullValue,
  numberValue,
  objectValue,
  textValue,
  tupleValue,
} from "./value.js";

/** JSON as the value it writes out: arrays are tuples, objects are objects. Throws a CtyError for anything else. */
export function decodeJson(source: string): Value {
  const diagnostics: Diagnostic[] = [];
  const node = parseJsonNode(source, "", { line: 1, column: 1 }, diagnostics);
  const [first] = diagnostics;
  if (first) throw new CtyError(first.detail);
  return plainValue(node);
}

function plainValue(node: JsonNode): Value {
  switch (node.kind) {
    case "string":
      return textValue(node.text);
    case "number":
      return numberValue(node.number);
    case "bool":
      return boolValue(node.value);
    case "array":
      return tupleValue(node.items.map(plainValue));
    case "object":
      return objectValue(node.fields.map(({ name, value }) => [name, plainValue(value)]));
    default:
      return nullValue(dynamicType);
  }
}
