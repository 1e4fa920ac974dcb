import { CtyError } from "./cty-error.js";
import { primitiveConversion } from "./convert-primitive.js";
import { setValue } from "./set-value.js";
import {
  type CollectionType,
  type ObjectType,
  type TupleType,
  type Type,
  dynamicType,
  isCollection,
  isPrimitive,
  objectOf,
  sameType,
  tupleOf,
  withoutOptional,
} from "./types.js";
import {
  type Value,
  areAlike,
  fieldsOf,
  itemsOf,
  listValue,
  mapValue,
  nullValue,
  objectValue,
  tupleValue,
  unknownValue,
} from "./value.js";
import { type Conversion, type FindConversion, type Unified, convertAll, unifyTypes } from "./unify.js";

/**
 * How values of one type become values of another; `undefined` if they never can. Unsafe conversions may fail for some
 * values: text to number. go-cty 1.17 convert/conversion.go.
 */
export function conversionFor(from: Type, to: Type, unsafe: boolean): Conversion | undefined {
  const known = knownConversion(from, to, unsafe);
  if (!known) return undefined;
  return (value) => {
    if (to.kind === "dynamic") return value;
    if (!value.isKnown) return unknownValue(filledIn(value.type, withoutOptional(to)));
    if (value.isNull) return nullValue(filledIn(value.type, withoutOptional(to)));
    return known(value);
  };
}

/** One type for all, the most general that the others can become; `undefined` if there is none. */
export function unify(types: readonly Type[], unsafe: boolean): Unified | undefined {
  return unifyTypes(types, finding(unsafe));
}

function finding(unsafe: boolean): FindConversion {
  return (from, to) => conversionFor(from, to, unsafe);
}

function knownConversion(from: Type, to: Type, unsafe: boolean): Conversion | undefined {
  if (to.kind === "dynamic") return (value) => value;
  if (from.kind === "dynamic") return unsafe ? (value) => reconvert(value, to) : undefined;
  if (isPrimitive(from) && isPrimitive(to)) return primitiveConversion(from, to, unsafe);
  switch (to.kind) {
    case "list":
    case "set":
      return conversionToItems(from, to, unsafe);
    case "map":
      if (from.kind === "map") return mapToMap(from, to, unsafe);
      return from.kind === "object" ? objectToMap(from, to, unsafe) : undefined;
    case "object":
      if (from.kind === "object") return objectToObject(from, to, unsafe);
      return from.kind === "map" && unsafe ? mapToObject(from, to, unsafe) : undefined;
    case "tuple":
      return from.kind === "tuple" ? tupleToTuple(from, to, unsafe) : undefined;
    default:
      return undefined;
  }
}

/** To a list or a set. A list may become a set only unsafely: what is in it twice is lost. */
function conversionToItems(from: Type, to: CollectionType, unsafe: boolean): Conversion | undefined {
  if (from.kind === "tuple") return tupleToCollection(from, to, unsafe);
  if (from.kind !== "list" && from.kind !== "set") return undefined;
  if (from.kind === "list" && to.kind === "set" && !unsafe) return undefined;
  return collectionToCollection(from, to, unsafe);
}

/** A value whose type was not known when the conversion was chosen. */
function reconvert(value: Value, to: Type): Value {
  if (sameType(value.type, to)) return value;
  const conversion = conversionFor(value.type, to, true);
  if (!conversion) throw new CtyError(`${to.kind} required`);
  return conversion(value);
}

function collectionToCollection(
  from: CollectionType,
  to: CollectionType,
  unsafe: boolean,
): Conversion | undefined {
  const same = sameType(from.element, to.element);
  const convert = same ? undefined : conversionFor(from.element, to.element, unsafe);
  if (!same && !convert) return undefined;
  const empty = to.element.kind === "dynamic" ? from.element : withoutOptional(to.element);
  return (value) => {
    const items = itemsOf(value).map((item) => (convert ? convert(item) : item));
    return toCollection(to.kind, items, empty);
  };
}

function toCollection(kind: "list" | "set" | "map", items: readonly Value[], empty: Type): Value {
  if (!areAlike(items)) throw new CtyError(`element types must all match for conversion to ${kind}`);
  return kind === "set" ? setValue(items, empty) : listValue(items, empty);
}

function tupleToCollection(from: TupleType, to: CollectionType, unsafe: boolean): Conversion | undefined {
  if (from.elements.length === 0) return () => toCollection(to.kind, [], withoutOptional(to.element));
  let { element } = to;
  if (element.kind === "dynamic") {
    const unified = unify(from.elements, unsafe);
    if (!unified) return undefined;
    element = unified.type;
    if (element.kind === "dynamic" && from.elements.some((type) => type.kind !== "dynamic")) return undefined;
  }
  const converted = convertAll(from.elements, element, finding(unsafe));
  if (!converted) return undefined;
  return (value) => {
    const items = itemsOf(value).map((item, at) => converted.conversions[at]?.(item) ?? item);
    const alike = to.kind === "list" ? unifiedItems(items, unsafe) : items;
    return toCollection(to.kind, alike, withoutOptional(element));
  };
}

/** Elements whose own types may still differ where the wanted one leaves that open. */
function unifiedItems(items: readonly Value[], unsafe: boolean): readonly Value[] {
  const unified = unify(items.map((item) => item.type), unsafe); // prettier-ignore
  if (!unified) throw new CtyError("cannot find a common base type for all elements");
  return items.map((item) =>
    sameType(item.type, unified.type)
      ? item
      : (conversionFor(item.type, unified.type, unsafe)?.(item) ?? item),
  );
}

function toMapValue(
  names: Iterable<string>,
  items: readonly Value[],
  element: Type,
  what: string,
  unsafe: boolean,
) {
  const alike = isCollection(element) || element.kind === "object" ? unifiedItems(items, unsafe) : items;
  if (!areAlike(alike)) throw new CtyError(`${what} types must all match for conversion to map`);
  return mapValue([...names].map((name, at) => [name, alike[at] as Value]), withoutOptional(element)); // prettier-ignore
}

function mapToMap(from: CollectionType, to: CollectionType, unsafe: boolean): Conversion | undefined {
  const convert = conversionFor(from.element, to.element, unsafe);
  if (!convert) return undefined;
  const empty = to.element.kind === "dynamic" ? from.element : to.element;
  return (value) => {
    const items = itemsOf(value).map(convert);
    return items.length === 0
      ? mapValue([], withoutOptional(empty))
      : toMapValue(fieldsOf(value).keys(), items, to.element, "element", false);
  };
}

function objectToMap(from: ObjectType, to: CollectionType, unsafe: boolean): Conversion | undefined {
  const types = [...from.attributes.values()];
  if (types.length === 0) return () => mapValue([], withoutOptional(to.element));
  const element = to.element.kind === "dynamic" ? unify(types, unsafe)?.type : to.element;
  const converted = element && convertAll(types, element, finding(unsafe));
  if (!converted) return undefined;
  return (value) => {
    const items = itemsOf(value).map((item, at) => converted.conversions[at]?.(item) ?? item);
    return toMapValue(fieldsOf(value).keys(), items, element, "attribute", unsafe);
  };
}

function objectToObject(from: ObjectType, to: ObjectType, unsafe: boolean): Conversion | undefined {
  const conversions = new Map<string, Conversion | undefined>();
  for (const [name, wanted] of to.attributes) {
    const given = from.attributes.get(name);
    if (!given && to.optional?.has(name)) continue;
    if (!given) return undefined;
    const conversion = sameType(given, wanted) ? undefined : conversionFor(given, wanted, unsafe);
    if (!conversion && !sameType(given, wanted)) return undefined;
    conversions.set(name, conversion);
  }
  return (value) =>
    objectValue(
      [...to.attributes].map(([name, wanted]) => {
        const given = fieldsOf(value).get(name);
        if (!given) return [name, nullValue(withoutOptional(wanted))];
        return [name, conversions.get(name)?.(given) ?? given];
      }),
    );
}

function mapToObject(from: CollectionType, to: ObjectType, unsafe: boolean): Conversion | undefined {
  const conversions = new Map<string, Conversion | undefined>();
  for (const [name, wanted] of to.attributes) {
    if (sameType(from.element, wanted)) continue;
    const conversion = conversionFor(from.element, wanted, unsafe);
    if (!conversion && !(to.optional?.has(name) && unsafe)) return undefined;
    conversions.set(name, conversion);
  }
  return (value) =>
    objectValue(
      [...to.attributes].map(([name, wanted]) => {
        const given = fieldsOf(value).get(name);
        if (given) {
          if (!conversions.has(name)) return [name, given];
          const conversion = conversions.get(name);
          if (!conversion) throw new CtyError(`map element type is incompatible with attribute "${name}"`);
          return [name, conversion(given)];
        }
        if (!to.optional?.has(name))
          throw new CtyError(`map has no element for required attribute "${name}"`);
        return [name, nullValue(withoutOptional(wanted))];
      }),
    );
}

function tupleToTuple(from: TupleType, to: TupleType, unsafe: boolean): Conversion | undefined {
  if (from.elements.length !== to.elements.length) return undefined;
  const conversions: (Conversion | undefined)[] = [];
  for (const [at, given] of from.elements.entries()) {
    const wanted = to.elements[at] as Type;
    const conversion = sameType(given, wanted) ? undefined : conversionFor(given, wanted, unsafe);
    if (!conversion && !sameType(given, wanted)) return undefined;
    conversions.push(conversion);
  }
  return (value) => tupleValue(itemsOf(value).map((item, at) => conversions[at]?.(item) ?? item));
}

/** What an unknown or null value's type is after conversion: open parts of the wanted type as they were. */
function filledIn(from: Type, to: Type): Type {
  if (from.kind === "dynamic") return to;
  if (to.kind === "dynamic") return from;
  if (isCollection(to)) {
    const element = elementOf(from, to.kind);
    return element ? { kind: to.kind, element: filledIn(element, to.element) } : to;
  }
  if (to.kind === "object") {
    return objectOf(
      [...to.attributes].map(([name, wanted]) => {
        if (from.kind === "map") return [name, filledIn(from.element, wanted)];
        const given = from.kind === "object" ? from.attributes.get(name) : undefined;
        return [name, given ? filledIn(given, wanted) : wanted];
      }),
    );
  }
  if (to.kind === "tuple" && from.kind === "tuple") {
    return tupleOf(to.elements.map((wanted, at) => filledIn(from.elements[at] ?? dynamicType, wanted)));
  }
  return to;
}

function elementOf(from: Type, to: CollectionType["kind"]): Type | undefined {
  if (to === "map") {
    if (from.kind === "map") return from.element;
    return from.kind === "object" ? unify([...from.attributes.values()], true)?.type : undefined;
  }
  if (from.kind === "list" || from.kind === "set") return from.element;
  return from.kind === "tuple" ? unify(from.elements, true)?.type : undefined;
}
