import { unify } from "../convert.js";
import { convert } from "../convert-value.js";
import { ArgumentError, CtyError } from "../cty-error.js";
import { equalValues } from "../equal-values.js";
import {
  type TupleType,
  type Type,
  boolType,
  dynamicType,
  listOf,
  numberType,
  sameType,
  stringType,
  tupleOf,
  typeName,
} from "../types.js";
import {
  type Value,
  boolValue,
  dynamicValue,
  falseValue,
  integerValue,
  isTrue,
  itemsOf,
  lengthOf,
  listValue,
  numberOf,
  numberValue,
  textOf,
  trueValue,
  tupleValue,
  unknownValue,
} from "../value.js";
import { any, at, define, dynamic, list, number, open, variadic, wholeNumber } from "./define.js";

const isSequence = (type: Type): type is ListType | TupleType =>
  type.kind === "list" || type.kind === "tuple";
type ListType = Type & { kind: "list" };

const isIterable = (type: Type) => isSequence(type) || type.kind === "set";

export const length = define(
  [any("collection", { allowDynamic: true, allowUnknown: true })],
  (args) => {
    const { type } = at(args, 0);
    if (isIterable(type) || type.kind === "map" || type.kind === "dynamic") return numberType;
    throw new CtyError("collection must be a list, a map or a tuple");
  },
  (args) => (at(args, 0).isKnown ? integerValue(lengthOf(at(args, 0))) : unknownValue(numberType)),
);

export const element = define(
  [any("list"), number("index")],
  (args) => {
    const { type } = at(args, 0);
    if (type.kind === "list") return type.element;
    if (type.kind !== "tuple") throw new CtyError(`cannot read elements from ${typeName(type)}`);
    if (!at(args, 1).isKnown) return dynamicType;
    return type.elements[wrapped(at(args, 1), type.elements.length)] as Type;
  },
  (args) => itemsOf(at(args, 0))[wrapped(at(args, 1), lengthOf(at(args, 0)))] as Value,
);

function wrapped(index: Value, count: number): number {
  let position: number;
  try {
    position = wholeNumber(index);
  } catch (error) {
    throw new CtyError(`invalid index: ${(error as Error).message}`);
  }
  if (count === 0) throw new CtyError("cannot use element function with an empty list");
  return ((position % count) + count) % count;
}

export const coalesceList = variadic([], any("vals", open), coalescedType, (args) => {
  const found = args.find((arg) => !arg.isKnown || (!arg.isNull && lengthOf(arg) > 0));
  if (!found) throw new CtyError("no non-null arguments");
  return found;
});

function coalescedType(args: readonly Value[]): Type {
  const [first] = args;
  if (!first) throw new CtyError("at least one argument is required");
  for (const { type, isKnown } of args) {
    if (!isKnown) return dynamicType;
    if (!isSequence(type)) throw new CtyError("coalescelist arguments must be lists or tuples");
  }
  return args.every(({ type }) => sameType(type, first.type)) ? first.type : dynamicType;
}

export const coalesce = variadic(
  [],
  any("vals", open),
  (args) => {
    const unified = unify(args.map(({ type }) => type), true); // prettier-ignore
    if (!unified) throw new CtyError("all arguments must have the same type");
    return unified.type;
  },
  (args, type) => {
    for (const arg of args) {
      if (!arg.isKnown) return unknownValue(type);
      if (!arg.isNull) return convert(arg, type);
    }
    throw new CtyError("no non-null arguments");
  },
);

export const compact = define(
  [list("list", stringType)],
  listOf(stringType),
  (args) =>
  listValue(itemsOf(at(args, 0)).filter((item) => !item.isNull && textOf(item) !== ""), stringType), // prettier-ignore
);

export const contains = define([any("list"), any("value")], boolType, (args) => {
  const [collection, wanted] = [at(args, 0), at(args, 1)];
  if (!isIterable(collection.type)) throw new CtyError("argument must be list, tuple, or set");
  let unsure = false;
  for (const item of itemsOf(collection)) {
    const same = equalValues(wanted, item);
    if (!same.isKnown) unsure = true;
    else if (isTrue(same)) return trueValue;
  }
  return unsure ? unknownValue(boolType) : falseValue;
});

export const indexOf = define([any("list"), any("value")], numberType, (args) => {
  const collection = at(args, 0);
  if (!isSequence(collection.type)) throw new CtyError("argument must be a list or tuple");
  if (lengthOf(collection) === 0) throw new CtyError("cannot search an empty list");
  for (const [position, item] of itemsOf(collection).entries()) {
    const same = equalValues(item, at(args, 1));
    if (!same.isKnown) return unknownValue(numberType);
    if (isTrue(same)) return integerValue(position);
  }
  throw new CtyError("item not found");
});

export const distinct = define([list("list", dynamicType)], sameAsFirst, (args, type) => {
  const kept: Value[] = [];
  for (const item of itemsOf(at(args, 0))) {
    if (!kept.some((other) => isTrue(equalValues(other, item)))) kept.push(item);
  }
  return listValue(kept, elementOf(type));
});

export const chunkList = define(
  [list("list", dynamicType), number("size")],
  (args) => listOf(at(args, 0).type),
  (args, type) => {
    let size: number;
    try {
      size = wholeNumber(at(args, 1));
    } catch (error) {
      throw new CtyError(`invalid size: ${(error as Error).message}`);
    }
    if (size < 0) throw new CtyError("the size argument must be positive");
    const items = itemsOf(at(args, 0));
    if (items.length === 0) return listValue([], at(args, 0).type);
    if (size === 0) return listValue([at(args, 0)]);
    const chunks: Value[] = [];
    for (let start = 0; start < items.length; start += size) {
      chunks.push(listValue(items.slice(start, start + size), elementOf(at(args, 0).type)));
    }
    return listValue(chunks, elementOf(type));
  },
);

export const flatten = define(
  [any("list")],
  (args) => {
    const given = at(args, 0);
    if (!given.isWhollyKnown) return dynamicType;
    if (!isIterable(given.type)) throw new CtyError("can only flatten lists, sets and tuples");
    return tupleOf(flat(given).map(({ type }) => type));
  },
  (args) => (at(args, 0).isWhollyKnown ? tupleValue(flat(at(args, 0))) : dynamicValue),
);

function flat(value: Value): Value[] {
  return itemsOf(value).flatMap((item) => (!item.isNull && isIterable(item.type) ? flat(item) : [item]));
}

export const reverseList = define(
  [any("list")],
  (args) => {
    const { type } = at(args, 0);
    if (type.kind === "tuple") return tupleOf([...type.elements].reverse());
    if (type.kind === "list" || type.kind === "set") return listOf(type.element);
    throw new ArgumentError(0, `can only reverse list or tuple values, not ${typeName(type)}`);
  },
  (args, type) => sequence([...itemsOf(at(args, 0))].reverse(), type),
);

export const slice = define(
  [any("list"), number("start_index"), number("end_index")],
  (args) => {
    const given = at(args, 0);
    if (given.type.kind === "set") {
      throw new ArgumentError(
        0,
        "cannot slice a set, because its elements do not have indices; explicitly convert to a list if the ordering of the result is not important",
      );
    }
    if (!isSequence(given.type)) throw new ArgumentError(0, "must be a list or tuple value");
    if (!args.every((arg) => arg.isKnown)) return dynamicType;
    const [start, end] = bounds(args);
    return given.type.kind === "tuple" ? tupleOf(given.type.elements.slice(start, end)) : given.type;
  },
  (args, type) => sequence(itemsOf(at(args, 0)).slice(...bounds(args)), type),
);

function bounds(args: readonly Value[]): [number, number] {
  const count = lengthOf(at(args, 0));
  const [start, end] = ["start", "end"].map((name, position) => {
    const index = position + 1;
    let bound: number;
    try {
      bound = wholeNumber(at(args, index));
    } catch (error) {
      throw new ArgumentError(index, `invalid ${name} index: ${(error as Error).message}`);
    }
    if (bound < 0) throw new ArgumentError(index, `${name} index must not be less than zero`);
    if (bound <= count) return bound;
    throw new ArgumentError(index, `${name} index must not be greater than the length of the list`);
  }) as [number, number];
  if (start > end) throw new ArgumentError(1, "start index must not be greater than end index");
  return [start, end];
}

export const concat = variadic([], any("seqs"), concatenatedType, (args, type) => {
  if (type.kind !== "list") return tupleValue(args.flatMap(itemsOf));
  return listValue(args.flatMap((arg) => itemsOf(convert(arg, type))), type.element); // prettier-ignore
});

function concatenatedType(args: readonly Value[]): Type {
  if (args.length === 0) throw new CtyError("at least one argument is required");
  if (args.every(({ type }) => type.kind === "list")) {
    const unified = unify(args.map(({ type }) => type), true); // prettier-ignore
    if (unified) return unified.type;
  }
  const types: Type[] = [];
  for (const [index, arg] of args.entries()) {
    const { type } = arg;
    if (type.kind === "tuple") types.push(...type.elements);
    else if (type.kind !== "list") {
      throw new ArgumentError(index, `all arguments must be lists or tuples; got ${typeName(type)}`);
    } else if (!arg.isKnown) return dynamicType;
    else types.push(...itemsOf(arg).map(() => type.element));
  }
  return tupleOf(types);
}

export const range = variadic([], number("params"), listOf(numberType), (args) => {
  const zero = integerValue(0);
  if (args.length < 1 || args.length > 3) throw new CtyError("must have one, two, or three arguments");
  const [from, end] = (args.length === 1 ? [zero, at(args, 0)] : [at(args, 0), at(args, 1)]).map(
    numberOf,
  ) as [ReturnType<typeof numberOf>, ReturnType<typeof numberOf>];
  const step = args[2] ? numberOf(args[2]) : numberOf(integerValue(end.compare(from) < 0 ? -1 : 1));
  if (step.isZero) throw new ArgumentError(2, "step must not be zero");
  const down = step.sign < 0;
  if (down && end.compare(from) > 0) {
    throw new ArgumentError(1, "end must be less than start when step is negative");
  }
  if (!down && end.compare(from) < 0) {
    throw new ArgumentError(1, "end must be greater than start when step is positive");
  }
  const values: Value[] = [];
  for (let next = from; down ? next.compare(end) > 0 : next.compare(end) < 0; next = next.plus(step)) {
    if (values.length >= 1024) {
      throw new CtyError(
        "more than 1024 values were generated; either decrease the difference between start and end or use a smaller step",
      );
    }
    values.push(numberValue(next));
  }
  return listValue(values, numberType);
});

export const hasIndex = define(
  [any("collection", dynamic), any("key", dynamic)],
  (args) => {
    const { type } = at(args, 0);
    if (isSequence(type) || type.kind === "map" || type.kind === "dynamic") return boolType;
    throw new CtyError("collection must be a list, a map or a tuple");
  },
  (args) => boolValue(found(at(args, 0), at(args, 1)) !== undefined),
);

export const index = define([any("collection"), any("key", dynamic)], indexedType, (args) => {
  const value = found(at(args, 0), at(args, 1));
  if (!value) throw new CtyError("invalid index");
  return value;
});

function indexedType(args: readonly Value[]): Type {
  const [{ type }, key] = [at(args, 0), at(args, 1)];
  const isOpen = key.type.kind === "dynamic";
  if (type.kind === "map") {
    if (key.type.kind !== "string" && !isOpen) throw new CtyError("key for map must be string");
    return type.element;
  }
  if (type.kind !== "list" && type.kind !== "tuple")
    throw new CtyError("collection must be a list, a map or a tuple");
  if (key.type.kind !== "number" && !isOpen) throw new CtyError(`key for ${type.kind} must be number`);
  if (type.kind !== "tuple") return type.element;
  if (!key.isKnown) return dynamicType;
  let position: number;
  try {
    position = wholeNumber(key);
  } catch (error) {
    throw new CtyError(`invalid key for tuple: ${(error as Error).message}`);
  }
  const chosen = type.elements[position];
  if (!chosen) throw new CtyError(`key must be between 0 and ${type.elements.length} inclusive`);
  return chosen;
}

function found(collection: Value, key: Value): Value | undefined {
  if (collection.type.kind === "map") {
    if (key.type.kind !== "string") return undefined;
    return (collection.data as ReadonlyMap<string, Value>).get(textOf(key));
  }
  if (key.type.kind !== "number" || !numberOf(key).isInteger) return undefined;
  return itemsOf(collection)[Number(numberOf(key).truncate())];
}

function sequence(items: readonly Value[], type: Type): Value {
  return type.kind === "tuple" ? tupleValue(items) : listValue(items, elementOf(type));
}

function elementOf(type: Type): Type {
  return type.kind === "list" || type.kind === "set" || type.kind === "map" ? type.element : dynamicType;
}

function sameAsFirst(args: readonly Value[]): Type {
  return at(args, 0).type;
}
