import { convert } from "./convert-value.js";
import { CtyError } from "./cty-error.js";
import { type Diagnostic, report } from "./diagnostic.js";
import type { Step } from "./expression.js";
import { goQuote } from "./go-quote.js";
import { nearHint } from "./near-name.js";
import type { Range } from "./range.js";
import { type Scope, findVariable, variableNames } from "./scope.js";
import { numberType, stringType, typeName } from "./types.js";
import {
  type Value,
  dynamicValue,
  fieldsOf,
  itemsOf,
  lengthOf,
  numberOf,
  textOf,
  unknownValue,
} from "./value.js";

/** What a reference stands for in a scope. */
export function traverse(scope: Scope | undefined, steps: readonly Step[], diagnostics: Diagnostic[]): Value {
  const [root, ...rest] = steps as [Extract<Step, { kind: "root" }>, ...Step[]];
  if (!scope) {
    report(diagnostics, root.range, "Variables not allowed", "Variables may not be used here.");
    return dynamicValue;
  }
  const value = findVariable(scope, root.name);
  if (value) return follow(value, rest, diagnostics);
  const hint = nearHint(root.name, variableNames(scope));
  report(diagnostics, root.range, "Unknown variable", `There is no variable named "${root.name}".${hint}`);
  return dynamicValue;
}

/** The part of a value that steps lead to. */
export function follow(value: Value, steps: readonly Step[], diagnostics: Diagnostic[]): Value {
  let current = value;
  for (const step of steps) {
    const before = diagnostics.length;
    current =
      step.kind === "index"
        ? indexValue(current, step.key, step.range, diagnostics)
        : attributeOf(current, step.name, step.range, diagnostics);
    if (diagnostics.length > before) return dynamicValue;
  }
  return current;
}

/** `collection[key]`. hashicorp/hcl 2.24 ops.go `Index`. */
export function indexValue(collection: Value, key: Value, range: Range, diagnostics: Diagnostic[]): Value {
  const refuse = (detail: string, summary = "Invalid index"): Value => {
    report(diagnostics, range, summary, detail);
    return dynamicValue;
  };
  if (collection.isNull) {
    return refuse("This value is null, so it does not have any indices.", "Attempt to index null value");
  }
  if (key.isNull) return refuse("Can't use a null value as an indexing key.");
  const { type } = collection;
  if (key.type.kind === "dynamic" || type.kind === "dynamic") return dynamicValue;
  const noElement = "The given key does not identify an element in this collection value";
  if (type.kind === "set") {
    return refuse(
      "Elements of a set are identified only by their value and don't have any separate index or key to select with, so it's only possible to perform operations across all elements of the set.",
    );
  }
  if (type.kind !== "list" && type.kind !== "tuple" && type.kind !== "map" && type.kind !== "object") {
    return refuse("This value does not have any indices.");
  }
  const isSequence = type.kind === "list" || type.kind === "tuple";
  let index: Value;
  try {
    index = convert(key, isSequence ? numberType : stringType);
  } catch (error) {
    if (!(error instanceof CtyError)) throw error;
    return refuse(`${noElement}: ${error.message}.`);
  }
  if (!index.isKnown || !collection.isKnown) {
    if (type.kind === "list" || type.kind === "map") return unknownValue(type.element);
    const attribute =
      type.kind === "object" && index.isKnown ? type.attributes.get(textOf(index)) : undefined;
    return attribute ? unknownValue(attribute) : dynamicValue;
  }
  if (!isSequence) {
    const found = fieldsOf(collection).get(textOf(index));
    if (found) return found;
    const byNumber = type.kind === "object" && key.type.kind === "number";
    const hint = byNumber
      ? " An object only supports looking up attributes by name, not by numeric index."
      : "";
    return refuse(`${noElement}.${hint}`);
  }
  const number = numberOf(index);
  const length = lengthOf(collection);
  const at = number.isInteger ? Number(number.truncate()) : -1;
  if (at >= 0 && at < length) return itemsOf(collection)[at] as Value;
  if (!number.isInteger) {
    return refuse(
      `${noElement}: indexing a sequence requires a whole number, but the given index has a fractional part.`,
    );
  }
  if (number.sign < 0) return refuse(`${noElement}: a negative number is not a valid index for a sequence.`);
  // hcl explains only the first index past the end: a comparison there is the wrong way round.
  if (at > length) return refuse(`${noElement}.`);
  if (length === 0) return refuse(`${noElement}: the collection has no elements.`);
  return refuse(`${noElement}: the given index is greater than or equal to the length of the collection.`);
}

/** `value.name`. hashicorp/hcl 2.24 ops.go `GetAttr`. */
export function attributeOf(value: Value, name: string, range: Range, diagnostics: Diagnostic[]): Value {
  const refuse = (detail: string, summary = "Unsupported attribute"): Value => {
    report(diagnostics, range, summary, detail);
    return dynamicValue;
  };
  if (value.isNull) {
    return refuse(
      "This value is null, so it does not have any attributes.",
      "Attempt to get attribute from null value",
    );
  }
  const { type } = value;
  switch (type.kind) {
    case "object": {
      const attribute = type.attributes.get(name);
      if (!attribute) return refuse(`This object does not have an attribute named ${goQuote(name)}.`);
      return value.isKnown ? (fieldsOf(value).get(name) as Value) : unknownValue(attribute);
    }
    case "map":
      if (!value.isKnown) return unknownValue(type.element);
      return (
        fieldsOf(value).get(name) ??
        refuse(`This map does not have an element with the key ${goQuote(name)}.`, "Missing map element")
      );
    case "dynamic":
      return dynamicValue;
    case "list":
      if (type.element.kind !== "object") return refuse("This value does not have any attributes.");
      return refuse(
        `Can't access attributes on a list of objects. Did you mean to access ${
          type.element.attributes.has(name) ? `attribute ${goQuote(name)}` : "an attribute"
        } for a specific element of the list, or across all elements of the list?`,
      );
    case "set":
      if (type.element.kind !== "object") return refuse("This value does not have any attributes.");
      return refuse(
        "Can't access attributes on a set of objects. Did you mean to access an attribute across all elements of the set?",
      );
    case "string":
    case "number":
    case "bool":
      return refuse(`Can't access attributes on a primitive-typed value (${typeName(type)}).`);
    default:
      return refuse("This value does not have any attributes.");
  }
}
