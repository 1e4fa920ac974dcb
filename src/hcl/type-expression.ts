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

/** The type that an expression describes, as `list(string)`. hashicorp/hcl 2.24 ext/typeexpr/get_type.go. */
export function typeConstraint(expression: Expression, diagnostics: Diagnostic[]): Type {
  const refuse = (subject: Range, detail: string): Type => {
    report(diagnostics, subject, "Invalid type specification", detail);
    return dynamicType;
  };
  const word = keywordOf(expression);
  if (word !== undefined) {
    const primitive = Object.hasOwn(primitives, word) ? primitives[word] : undefined;
    if (primitive) return primitive;
    const detail = Object.hasOwn(needsArgument, word) ? needsArgument[word] : undefined;
    return refuse(
      expression.range,
      detail ?? `The keyword ${goQuote(word)} is not a valid type specification.`,
    );
  }
  const call = expression.call?.();
  if (!call) {
    const detail =
      "A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).";
    return refuse(expression.range, detail);
  }
  if (Object.hasOwn(primitives, call.name)) {
    const what = call.name === "any" ? "Type constraint" : "Primitive type";
    return refuse(call.argsRange, `${what} keyword ${goQuote(call.name)} does not expect arguments.`);
  }
  const [argument, second] = call.args;
  const constructor = Object.hasOwn(needsArgument, call.name) ? needsArgument[call.name] : undefined;
  if (constructor !== undefined && (!argument || second)) {
    const subject = second
      ? rangeBetween(second.range, (call.args.at(-1) as Expression).range)
      : call.argsRange;
    return refuse(subject, constructor);
  }
  const element = Object.hasOwn(elementTypes, call.name) ? elementTypes[call.name] : undefined;
  if (element && argument) return element(typeConstraint(argument, diagnostics));
  if (call.name === "object" && argument) return objectType(argument, diagnostics);
  if (call.name === "tuple" && argument) {
    const items = argument.list?.();
    if (!items) return refuse(argument.range, "Tuple type constructor requires a list of element types.");
    return tupleOf(items.map((item) => typeConstraint(item, diagnostics)));
  }
  if (call.name === "optional") {
    return refuse(
      call.nameRange,
      'Keyword "optional" is valid only as a modifier for object type attributes.',
    );
  }
  return refuse(expression.range, `Keyword ${goQuote(call.name)} is not a valid type constructor.`);
}

function objectType(argument: Expression, diagnostics: Diagnostic[]): Type {
  const refuse = (subject: Range, detail: string) =>
    report(diagnostics, subject, "Invalid type specification", detail);
  const pairs = argument.pairs?.();
  if (!pairs) {
    refuse(
      argument.range,
      "Object type constructor requires a map whose keys are attribute names and whose values are the corresponding attribute types.",
    );
    return dynamicType;
  }
  const attributes = new Map<string, Type>();
  const optional: string[] = [];
  for (const [key, value] of pairs) {
    const name = keywordOf(key);
    if (name === undefined) {
      refuse(key.range, "Object constructor map keys must be attribute names.");
      continue;
    }
    if (attributes.has(name)) {
      refuse(key.range, "Object constructor map keys must be unique.");
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
  const refuse = (detail: string) =>
    report(diagnostics, call.argsRange, "Invalid type specification", detail);
  if (!type) refuse("Optional attribute modifier requires the attribute type as its argument.");
  else if (second) refuse("Optional attribute modifier expects only one argument: the attribute type.");
  return type;
}
