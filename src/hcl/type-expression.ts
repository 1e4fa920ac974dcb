import { type Diagnostic, report } from "./diagnostic.js";
import { type Expression, type StaticCall, keywordOf } from "./expression.js";
import { goQuote } from "./go-quote.js";
import { type Range, rangeBetween } from "./range.js";
import {
  type Type,
  boolType,
  dynamicType,
  listOf,
  mapOf,
  numberType,
  objectOf,
  setOf,
  stringType,
  tupleOf,
} from "./types.js";

const primitives: Record<string, Type> = {
  bool: boolType,
  string: stringType,
  number: numberType,
  any: dynamicType,
};
const elementTypes: Record<string, (element: Type) => Type> = { list: listOf, set: setOf, map: mapOf };

const needsArgument: Record<string, string> = {
  list: "The list type constructor requires one argument specifying the element type.",
  set: "The set type constructor requires one argument specifying the element type.",
  map: "The map type constructor requires one argument specifying the element type.",
  object:
    "The object type constructor requires one argument specifying the attribute types and values as a map.",
  tuple: "The tuple type constructor requires one argument specifying the element types as a list.",
};

const needsType =
  "A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).";

/** The type that an expression describes, as `list(string)`. hashicorp/hcl 2.24 ext/typeexpr/get_type.go. */
export function typeConstraint(expression: Expression, diagnostics: Diagnostic[]): Type {
  const word = keywordOf(expression);
  if (word !== undefined) return keywordType(word, expression.range, diagnostics);
  const call = expression.call?.();
  if (!call) return refuse(diagnostics, expression.range, needsType);
  if (Object.hasOwn(needsArgument, call.name)) return constructedType(call, diagnostics);
  if (Object.hasOwn(primitives, call.name)) {
    const what = call.name === "any" ? "Type constraint" : "Primitive type";
    const detail = `${what} keyword ${goQuote(call.name)} does not expect arguments.`;
    return refuse(diagnostics, call.argsRange, detail);
  }
  if (call.name === "optional") {
    const detail = 'Keyword "optional" is valid only as a modifier for object type attributes.';
    return refuse(diagnostics, call.nameRange, detail);
  }
  const detail = `Keyword ${goQuote(call.name)} is not a valid type constructor.`;
  return refuse(diagnostics, expression.range, detail);
}

function refuse(diagnostics: Diagnostic[], subject: Range, detail: string): Type {
  report(diagnostics, subject, "Invalid type specification", detail);
  return dynamicType;
}

function keywordType(word: string, range: Range, diagnostics: Diagnostic[]): Type {
  const primitive = Object.hasOwn(primitives, word) ? primitives[word] : undefined;
  if (primitive) return primitive;
  const detail = Object.hasOwn(needsArgument, word) ? needsArgument[word] : undefined;
  return refuse(
    diagnostics,
    range,
    detail ?? `The keyword ${goQuote(word)} is not a valid type specification.`,
  );
}

/** A type that is made of another by one of the names of `needsArgument`. */
function constructedType({ name, args, argsRange }: StaticCall, diagnostics: Diagnostic[]): Type {
  const [argument, second] = args;
  if (!argument || second) {
    const others = second && rangeBetween(second.range, (args.at(-1) as Expression).range);
    return refuse(diagnostics, others ?? argsRange, needsArgument[name] as string);
  }
  if (name === "object") return objectType(argument, diagnostics);
  const element = elementTypes[name];
  if (element) return element(typeConstraint(argument, diagnostics));
  const items = argument.list?.();
  if (!items)
    return refuse(diagnostics, argument.range, "Tuple type constructor requires a list of element types.");
  return tupleOf(items.map((item) => typeConstraint(item, diagnostics)));
}

function objectType(argument: Expression, diagnostics: Diagnostic[]): Type {
  const pairs = argument.pairs?.();
  if (!pairs) {
    const detail =
      "Object type constructor requires a map whose keys are attribute names and whose values are the corresponding attribute types.";
    return refuse(diagnostics, argument.range, detail);
  }
  const attributes = new Map<string, Type>();
  const optional: string[] = [];
  for (const [key, value] of pairs) {
    const name = keywordOf(key);
    if (name === undefined) {
      refuse(diagnostics, key.range, "Object constructor map keys must be attribute names.");
      continue;
    }
    if (attributes.has(name)) {
      refuse(diagnostics, key.range, "Object constructor map keys must be unique.");
      continue;
    }
    const call = value.call?.();
    const modifier = call?.name === "optional" ? call : undefined;
    const inner = modifier ? optionalType(modifier, diagnostics) : value;
    if (!inner) continue;
    if (modifier?.args.length === 1) optional.push(name);
    attributes.set(name, typeConstraint(inner, diagnostics));
  }
  return objectOf(attributes, optional);
}

function optionalType(call: StaticCall, diagnostics: Diagnostic[]): Expression | undefined {
  const [type, second] = call.args;
  const refused = (detail: string) => refuse(diagnostics, call.argsRange, detail);
  if (!type) refused("Optional attribute modifier requires the attribute type as its argument.");
  else if (second) refused("Optional attribute modifier expects only one argument: the attribute type.");
  return type;
}
