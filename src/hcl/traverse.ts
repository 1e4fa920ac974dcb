import { convert } from "./convert-value.js";
import { CtyError } from "./cty-error.js";
import { type Diagnostic, report } from "./diagnostic.js";
import type { Step } from "./expression.js";
import { goQuote } from "./go-quote.js";
import { nearHint } from "./near-name.js";
import type { Range } from "./range.js";
import { type Scope, findVariable, variableNames } from "./scope.js";
import { type Type, numberType, stringType, typeName } from "./types.js";
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

/** Why an index leads nowhere. */
interface BadIndex {
  detail: string;
  summary?: string;
}

/** `collection[key]`, in hashicorp/hcl 2.24's words where it is nothing. */
export function indexValue(collection: Value, key: Value, range: Range, diagnostics: Diagnostic[]): Value {
  const found = elementOf(collection, key);
  if (!("detail" in found)) return found;
  report(diagnostics, range, found.summary ?? "Invalid index", found.detail);
  return dynamicValue;
}

const noElement = "The given key does not identify an element in this collection value";

function elementOf(collection: Value, key: Value): Value | BadIndex {
  const { type } = collection;
  if (collection.isNull)
    return {
      summary: "Attempt to index null value",
      detail: "This value is null, so it does not have any indices.",
    };
  if (key.isNull) return { detail: "Can't use a null value as an indexing key." };
  if (key.type.kind === "dynamic" || type.kind === "dynamic") return dynamicValue;
  switch (type.kind) {
    case "list":
    case "tuple":
      return withKey(key, numberType, (index) => itemAt(collection, index));
    case "map":
    case "object":
      return withKey(key, stringType, (name) => fieldAt(collection, name, key));
    case "set":
      return {
        detail:
          "Elements of a set are identified only by their value and don't have any separate index or key to select with, so it's only possible to perform operations across all elements of the set.",
      };
    default:
      return { detail: "This value does not have any indices." };
  }
}

/** Looks with the key as it must be. */
function withKey(key: Value, type: Type, look: (key: Value) => Value | BadIndex): Value | BadIndex {
  try {
    return look(convert(key, type));
  } catch (error) {
    if (!(error instanceof CtyError)) throw error;
    return { detail: `${noElement}: ${error.message}.` };
  }
}

function itemAt(collection: Value, index: Value): Value | BadIndex {
  const { type } = collection;
  if (!index.isKnown || !collection.isKnown)
    return type.kind === "list" ? unknownValue(type.element) : dynamicValue;
  const number = numberOf(index);
  if (!number.isInteger)
    return {
      detail: `${noElement}: indexing a sequence requires a whole number, but the given index has a fractional part.`,
    };
  if (number.sign < 0)
    return { detail: `${noElement}: a negative number is not a valid index for a sequence.` };
  const at = Number(number.truncate());
  const length = lengthOf(collection);
  if (at < length) return itemsOf(collection)[at] as Value;
  // hcl explains only the first index past the end: a comparison there is the wrong way round.
  if (at > length) return { detail: `${noElement}.` };
  const why =
    length === 0
      ? "the collection has no elements"
      : "the given index is greater than or equal to the length of the collection";
  return { detail: `${noElement}: ${why}.` };
}

function fieldAt(collection: Value, name: Value, key: Value): Value | BadIndex {
  const { type } = collection;
  if (name.isKnown && collection.isKnown) {
    const isByNumber = type.kind === "object" && key.type.kind === "number";
    const hint = isByNumber
      ? " An object only supports looking up attributes by name, not by numeric index."
      : "";
    return fieldsOf(collection).get(textOf(name)) ?? { detail: `${noElement}.${hint}` };
  }
  if (type.kind === "map") return unknownValue(type.element);
  const attribute = type.kind === "object" && name.isKnown ? type.attributes.get(textOf(name)) : undefined;
  return attribute ? unknownValue(attribute) : dynamicValue;
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
