import { convert } from "../convert-value.js";
import { ArgumentError, CtyError } from "../cty-error.js";
import { goQuote } from "../go-quote.js";
import {
  type Type,
  dynamicType,
  listOf,
  mapOf,
  objectOf,
  sameType,
  stringType,
  tupleOf,
  typeName,
} from "../types.js";
import { type Value, fieldsOf, itemsOf, lengthOf, listValue, mapValue, objectValue, textOf, textValue, tupleValue, unknownValue } from "../value.js"; // prettier-ignore
import { any, at, define, list, text, variadic } from "./define.js";

export const keys = define(
  [any("inputMap", { allowUnknown: true })],
  (args) => {
    const { type } = at(args, 0);
    if (type.kind === "map") return listOf(stringType);
    if (type.kind === "object") return tupleOf([...type.attributes.keys()].map(() => stringType));
    throw new ArgumentError(0, "must have map or object type");
  },
  (args, type) => {
    const given = at(args, 0);
    if (given.type.kind === "object") return tupleValue([...given.type.attributes.keys()].map(textValue));
    if (!given.isKnown) return unknownValue(type);
    return listValue([...fieldsOf(given).keys()].map(textValue), stringType); // prettier-ignore
  },
);

export const values = define(
  [any("mapping")],
  (args) => {
    const { type } = at(args, 0);
    if (type.kind === "map") return listOf(type.element);
    if (type.kind === "object") return tupleOf([...type.attributes.values()]);
    throw new CtyError("values() requires a map as the first argument");
  },
  (args, type) => {
    const items = itemsOf(at(args, 0));
    return type.kind === "list" ? listValue(items, type.element) : tupleValue(items);
  },
);

export const lookup = define(
  [any("inputMap"), text("key"), any("default")],
  (args) => {
    const [{ type }, key, fallback] = [at(args, 0), at(args, 1), at(args, 2)];
    if (type.kind === "object") {
      if (!key.isKnown) return dynamicType;
      return type.attributes.get(textOf(key)) ?? fallback.type;
    }
    if (type.kind !== "map") throw new ArgumentError(0, "lookup() requires a map as the first argument");
    try {
      convert(fallback, type.element);
    } catch (error) {
      if (!(error instanceof CtyError)) throw error;
      throw new ArgumentError(2, "the default value must have the same type as the map elements");
    }
    return type.element;
  },
  (args, type) => {
    const given = at(args, 0);
    if (!given.isWhollyKnown) return unknownValue(type);
    return fieldsOf(given).get(textOf(at(args, 1))) ?? convert(at(args, 2), type);
  },
);

export const merge = variadic(
  [],
  any("maps", { allowNull: true, allowDynamic: true }),
  mergedType,
  (args, type) => {
    const given = args.filter((arg) => !arg.isNull);
    // Nothing was said of their types when one of them was open.
    for (const { type: own } of given)
      if (own.kind !== "map" && own.kind !== "object")
        throw new CtyError(`arguments must be maps or objects, got ${goQuote(typeName(own))}`);
    const fields = given.flatMap((arg) => [...fieldsOf(arg)]);
    return type.kind === "map" ? mapValue(fields, type.element) : objectValue(fields);
  },
);

function mergedType(args: readonly Value[]): Type {
  const [first] = args;
  if (!first) return objectOf([]);
  const attributes = new Map<string, Type>();
  for (const arg of args) {
    const { type } = arg;
    if (type.kind === "dynamic") return dynamicType;
    if (type.kind !== "map" && type.kind !== "object") {
      throw new CtyError(`arguments must be maps or objects, got ${goQuote(typeName(type))}`);
    }
    if (arg.isNull) continue;
    if (type.kind === "object")
      for (const [name, attribute] of type.attributes) attributes.set(name, attribute);
    else if (!arg.isKnown) return dynamicType;
    else for (const name of fieldsOf(arg).keys()) attributes.set(name, type.element);
  }
  return args.every(({ type }) => sameType(type, first.type)) ? first.type : objectOf(attributes);
}

export const zipmap = define([list("keys", stringType), any("values")], zippedType, (args, type) => {
  const [names, items] = [itemsOf(at(args, 0)), itemsOf(at(args, 1))];
  if (names.length !== items.length) throw unequal(names.length, items.length);
  const fields = names.map((name, position): [string, Value] => {
    if (name.isNull) throw new CtyError(`keys list has null value at index ${position}`);
    return [textOf(name), items[position] as Value];
  });
  return type.kind === "map" ? mapValue(fields, type.element) : objectValue(fields);
});

function zippedType(args: readonly Value[]): Type {
  const [names, { type }] = [at(args, 0), at(args, 1)];
  if (type.kind === "list") return mapOf(type.element);
  if (type.kind !== "tuple") throw new CtyError("values argument must be a list or tuple value");
  if (!names.isWhollyKnown) return dynamicType;
  if (lengthOf(names) !== type.elements.length) throw unequal(lengthOf(names), type.elements.length);
  return objectOf(
    itemsOf(names).map((name, position) => {
      if (name.isNull) throw new CtyError(`keys list has null value at index ${position}`);
      return [textOf(name), type.elements[position] as Type];
    }),
  );
}

function unequal(keys: number, values: number): CtyError {
  return new CtyError(`number of keys (${keys}) does not match number of values (${values})`);
}
