import { generalFirst } from "./sort-types.js";
import {
  type CollectionType,
  type ObjectType,
  type TupleType,
  type Type,
  dynamicType,
  objectOf,
  sameType,
  tupleOf,
} from "./types.js";
import { type Value, dynamicValue } from "./value.js";

/** Makes a value of another type, or throws a CtyError. */
export type Conversion = (value: Value) => Value;

/** A type that several can be converted to, and how; a conversion that is not there has nothing to do. */
export interface Unified {
  type: Type;
  conversions: (Conversion | undefined)[];
}

/** How values of one type become values of another; `undefined` if they cannot. */
export type FindConversion = (from: Type, to: Type) => Conversion | undefined;

/** One type for all, the most general that the others can become. go-cty 1.17 convert/unify.go. */
export function unifyTypes(types: readonly Type[], find: FindConversion): Unified | undefined {
  const kinds = new Set(types.map(({ kind }) => kind));
  kinds.delete("dynamic");
  switch ([...kinds].sort().join(" ")) {
    case "map":
      return unifyCollections("map", types, find);
    case "list":
      return unifyCollections("list", types, find);
    case "set":
      return unifyCollections("set", types, find);
    case "object":
      return unifyObjects(types, find);
    case "tuple":
      return unifyTuples(types, find);
    case "map object":
      return unifyVia(types, "object", "map", find) ?? unifyToOne(types, find);
    case "list tuple":
      return unifyVia(types, "tuple", "list", find) ?? unifyToOne(types, find);
    default:
      return kinds.has("object") && kinds.has("tuple") ? undefined : unifyToOne(types, find);
  }
}

/** The first of the types, beginning with the most general, that all the others can be converted to. */
function unifyToOne(types: readonly Type[], find: FindConversion): Unified | undefined {
  for (const at of generalFirst(types)) {
    const unified = convertAll(types, types[at] as Type, find);
    if (unified) return unified;
  }
  return undefined;
}

/** Makes all of them one given type, if each can become it. */
export function convertAll(types: readonly Type[], type: Type, find: FindConversion): Unified | undefined {
  const conversions: (Conversion | undefined)[] = [];
  for (const from of types) {
    const conversion = sameType(from, type) ? undefined : find(from, type);
    if (!conversion && !sameType(from, type)) return undefined;
    conversions.push(conversion);
  }
  return { type, conversions };
}

function allDynamic(types: readonly Type[]): Unified {
  return { type: dynamicType, conversions: types.map(() => () => dynamicValue) };
}

function unifyCollections(
  kind: CollectionType["kind"],
  types: readonly Type[],
  find: FindConversion,
): Unified | undefined {
  if (types.some((type) => type.kind === "dynamic")) return allDynamic(types);
  const element = unifyTypes(types.map((type) => (type as CollectionType).element), find); // prettier-ignore
  return element && convertAll(types, { kind, element: element.type }, find);
}

function unifyObjects(types: readonly Type[], find: FindConversion): Unified | undefined {
  if (types.some((type) => type.kind === "dynamic")) return allDynamic(types);
  const objects = types as readonly ObjectType[];
  const first = objects[0] as ObjectType;
  const toMap = () => unifyParts("map", types, objects.flatMap(({ attributes }) => [...attributes.values()]), find); // prettier-ignore
  for (const { attributes } of objects) {
    if (attributes.size !== first.attributes.size) return toMap();
    if ([...attributes.keys()].some((name) => !first.attributes.has(name))) return toMap();
  }
  const attributes: [string, Type][] = [];
  for (const name of first.attributes.keys()) {
    const unified = unifyTypes(objects.map((object) => object.attributes.get(name) as Type), find); // prettier-ignore
    if (!unified) return undefined;
    attributes.push([name, unified.type]);
  }
  return convertAll(types, objectOf(attributes), find) ?? toMap();
}

function unifyTuples(types: readonly Type[], find: FindConversion): Unified | undefined {
  if (types.some((type) => type.kind === "dynamic")) return allDynamic(types);
  const tuples = types as readonly TupleType[];
  const first = tuples[0] as TupleType;
  const toList = () => unifyParts("list", types, tuples.flatMap(({ elements }) => elements), find); // prettier-ignore
  if (tuples.some(({ elements }) => elements.length !== first.elements.length)) return toList();
  const elements: Type[] = [];
  for (const at of first.elements.keys()) {
    const unified = unifyTypes(tuples.map((tuple) => tuple.elements[at] as Type), find); // prettier-ignore
    if (!unified) return undefined;
    elements.push(unified.type);
  }
  return convertAll(types, tupleOf(elements), find) ?? toList();
}

function unifyParts(
  kind: "list" | "map",
  types: readonly Type[],
  parts: Type[],
  find: FindConversion,
): Unified | undefined {
  const element = unifyTypes(parts, find);
  return element && convertAll(types, { kind, element: element.type }, find);
}

/** Objects beside maps, or tuples beside lists: those first, to one collection. */
function unifyVia(
  types: readonly Type[],
  from: "object" | "tuple",
  to: "map" | "list",
  find: FindConversion,
) {
  const structural = types.filter((type) => type.kind === from);
  const parts = structural.flatMap((type) =>
    type.kind === "tuple" ? [...type.elements] : [...(type as ObjectType).attributes.values()],
  );
  const inner = unifyParts(to, structural, parts, find);
  if (!inner) return undefined;
  const outer = unifyTypes(types.map((type) => (type.kind === from ? inner.type : type)), find); // prettier-ignore
  if (outer?.type.kind !== to) return undefined;
  let next = 0;
  const conversions = types.map((type, at) => {
    const second = outer.conversions[at];
    if (type.kind !== from) return second;
    const first = inner.conversions[next++];
    return first && second ? (value: Value) => second(first(value)) : (first ?? second);
  });
  return { type: outer.type, conversions };
}
