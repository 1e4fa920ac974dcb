import { BigFloat } from "./big-float.js";
import { compareText } from "./compare-text.js";
import {
  type Type,
  boolType,
  dynamicType,
  isCollection,
  listOf,
  mapOf,
  numberType,
  objectOf,
  sameType,
  stringType,
  tupleOf,
} from "./types.js";

const unknownData = Symbol("unknown");

/** What only functions that know it look into: an expression not evaluated, a type. */
export interface Opaque {
  readonly content: unknown;
}

type Data =
  | string
  | boolean
  | BigFloat
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | Opaque
  | null
  | typeof unknownData;

/** A value of HCL with its type. It may be null, or unknown: what an expression with an error gives. */
export class Value {
  readonly type: Type;
  readonly data: Data;

  constructor(type: Type, data: Data) {
    this.type = type;
    this.data = data;
  }

  get isNull(): boolean {
    return this.data === null;
  }

  get isKnown(): boolean {
    return this.data !== unknownData;
  }

  /** Known, and all that is in it as well. */
  get isWhollyKnown(): boolean {
    if (!this.isKnown) return false;
    if (isList(this.data)) return this.data.every((item) => item.isWhollyKnown);
    if (this.data instanceof Map) {
      for (const item of this.data.values()) if (!(item as Value).isWhollyKnown) return false;
    }
    return true;
  }
}

function isList(data: Data): data is readonly Value[] {
  return Array.isArray(data);
}

export const trueValue = new Value(boolType, true);
export const falseValue = new Value(boolType, false);
export const dynamicValue = new Value(dynamicType, unknownData);

/** Text is kept in Unicode's normal form C. */
export const textValue = (text: string): Value => new Value(stringType, text.normalize("NFC"));
export const numberValue = (value: BigFloat): Value => new Value(numberType, value);
export const integerValue = (value: number | bigint): Value => numberValue(BigFloat.integer(value));
export const boolValue = (value: boolean): Value => (value ? trueValue : falseValue);
export const nullValue = (type: Type): Value => new Value(type, null);
export const unknownValue = (type: Type): Value => new Value(type, unknownData);
export const capsuleValue = (type: Type, content: unknown): Value => new Value(type, { content });

export function tupleValue(items: readonly Value[]): Value {
  return new Value(tupleOf(items.map((item) => item.type)), items);
}

/** An object with the given attributes; of equal names the last. */
export function objectValue(fields: Iterable<readonly [string, Value]>): Value {
  const sorted = sortedFields(fields);
  return new Value(objectOf([...sorted].map(([name, value]) => [name, value.type])), sorted);
}

/** A list, if all items are of one type; `element` is that of an empty one. */
export function listValue(items: readonly Value[], element: Type = dynamicType): Value {
  return new Value(listOf(commonElement(items) ?? element), items);
}

export function mapValue(fields: Iterable<readonly [string, Value]>, element: Type = dynamicType): Value {
  const sorted = sortedFields(fields);
  return new Value(mapOf(commonElement([...sorted.values()]) ?? element), sorted);
}

function sortedFields(fields: Iterable<readonly [string, Value]>): Map<string, Value> {
  const unique = new Map(fields);
  let last: string | undefined;
  for (const name of unique.keys()) {
    if (last !== undefined && compareText(last, name) > 0)
      return new Map([...unique].sort(([a], [b]) => compareText(a, b)));
    last = name;
  }
  return unique;
}

/** The type that all items share; nothing is known of items of type `dynamic`. */
export function commonElement(items: readonly Value[]): Type | undefined {
  return items.find((item) => item.type.kind !== "dynamic")?.type ?? items[0]?.type;
}

/** Whether these can be elements of one collection. */
export function areAlike(items: Iterable<Value>): boolean {
  let type: Type | undefined;
  for (const item of items) {
    if (item.type.kind === "dynamic") continue;
    if (type && !sameType(type, item.type)) return false;
    type = item.type;
  }
  return true;
}

/** The text of a known string. */
export function textOf(value: Value): string {
  return value.data as string;
}

export function numberOf(value: Value): BigFloat {
  return value.data as BigFloat;
}

export function isTrue(value: Value): boolean {
  return value.data === true;
}

export function contentOf(value: Value): unknown {
  return (value.data as Opaque).content;
}

/** Elements of a known list, set or tuple, or the values of a map or an object. */
export function itemsOf(value: Value): readonly Value[] {
  if (isList(value.data)) return value.data;
  return [...fieldsOf(value).values()];
}

/** A known map's or object's content, in order of names. */
export function fieldsOf(value: Value): ReadonlyMap<string, Value> {
  return value.data as ReadonlyMap<string, Value>;
}

export function lengthOf(value: Value): number {
  return isList(value.data) ? value.data.length : fieldsOf(value).size;
}

export function canIterate(value: Value): boolean {
  const { kind } = value.type;
  return isCollection(value.type) || kind === "tuple" || kind === "object";
}

/** Keys and elements: the index for lists and tuples, the name for maps and objects, the element itself for sets. */
export function* entriesOf(value: Value): Generator<[Value, Value]> {
  if (isList(value.data)) {
    const isSet = value.type.kind === "set";
    for (const [at, item] of value.data.entries()) yield [isSet ? item : integerValue(at), item];
    return;
  }
  for (const [name, item] of fieldsOf(value)) yield [textValue(name), item];
}
