import { unify } from "../convert.js";
import { convert } from "../convert-value.js";
import { ArgumentError, CtyError } from "../cty-error.js";
import { equalValues } from "../equal-values.js";
import { setValue } from "../set-value.js";
import { type CollectionType, type TupleType, type Type, boolType, dynamicType, listOf, sameType, setOf, tupleOf } from "../types.js"; // prettier-ignore
import {
  type Value,
  boolValue,
  isTrue,
  itemsOf,
  lengthOf,
  listValue,
  tupleValue,
  unknownValue,
} from "../value.js";
import { any, at, define, dynamic, set, variadic } from "./define.js";

const has = (items: readonly Value[], wanted: Value) =>
  items.some((item) => isTrue(equalValues(item, wanted)));

export const setHasElement = define([set("set"), any("elem", dynamic)], boolType, (args) => {
  const [given, wanted] = [at(args, 0), at(args, 1)];
  return boolValue(
    sameType((given.type as CollectionType).element, wanted.type) && has(itemsOf(given), wanted),
  );
});

export const setUnion = variadic([set("first_set")], set("other_sets"), unifiedType, combine((a, b) => [...a, ...b])); // prettier-ignore

export const setIntersection = variadic(
  [set("first_set")],
  set("other_sets"),
  unifiedType,
  combine((a, b) => a.filter((item) => has(b, item))),
);

export const setSubtract = define(
  [set("a"), set("b")],
  unifiedType,
  combine((a, b) => a.filter((item) => !has(b, item))),
);

export const setSymmetricDifference = variadic(
  [set("first_set")],
  set("other_sets"),
  unifiedType,
  combine((a, b) => [...a.filter((item) => !has(b, item)), ...b.filter((item) => !has(a, item))]),
);

function unifiedType(args: readonly Value[]): Type {
  const types: Type[] = [];
  for (const arg of args) {
    const { element } = arg.type as CollectionType;
    if (arg.isKnown && element.kind === "dynamic" && lengthOf(arg) === 0) continue;
    types.push(element);
  }
  if (types.length === 0) return setOf(dynamicType);
  const unified = unify(types, true);
  if (!unified) throw new CtyError("given sets must all have compatible element types");
  return setOf(unified.type);
}

function combine(step: (a: readonly Value[], b: readonly Value[]) => readonly Value[]) {
  return (args: readonly Value[], type: Type): Value => {
    const { element } = type as CollectionType;
    const sets = args.map((arg, position) => {
      try {
        return itemsOf(convert(arg, type));
      } catch (error) {
        if (error instanceof CtyError) throw new ArgumentError(position, error.message);
        throw error;
      }
    });
    // Each step gives a set again, so that the next one sees its elements once.
    return setValue(
      sets
        .slice(1)
        .reduce((all, next) => itemsOf(setValue(step(all, next), element)), sets[0] as readonly Value[]),
      element,
    );
  };
}

export const setProduct = variadic([], any("sets", { allowUnknown: true }), productType, (args, type) => {
  if (!args.every((arg) => arg.isKnown)) return unknownValue(type);
  const { kind, element } = type as CollectionType;
  const types = (element as TupleType).elements;
  let rows: Value[][] = [[]];
  for (const [position, arg] of args.entries()) {
    const items = itemsOf(arg).map((item) => convert(item, types[position] as Type));
    rows = rows.flatMap((row) => items.map((item) => [...row, item]));
  }
  const tuples = rows.map(tupleValue);
  return kind === "list" ? listValue(tuples, element) : setValue(tuples, element);
});

function productType(args: readonly Value[]): Type {
  if (args.length < 2) throw new CtyError("at least two arguments are required");
  let lists = 0;
  const elements = args.map(({ type }, position) => {
    if (type.kind === "set") return type.element;
    lists++;
    if (type.kind === "list") return type.element;
    if (type.kind !== "tuple") throw new ArgumentError(position, "a set or a list is required");
    if (type.elements.length === 0) return dynamicType;
    const unified = unify(type.elements, true);
    if (!unified) throw new ArgumentError(position, "all elements must be of the same type");
    return unified.type;
  });
  return lists === args.length ? listOf(tupleOf(elements)) : setOf(tupleOf(elements));
}
