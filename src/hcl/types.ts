import { compareText } from "./compare-text.js";

/** A type of HCL's values, as go-cty has them. `capsule` is what only some functions know, by its name. */
export type Type =
  | { readonly kind: "string" | "number" | "bool" | "dynamic" }
  | { readonly kind: "list" | "set" | "map"; readonly element: Type }
  | { readonly kind: "tuple"; readonly elements: readonly Type[] }
  | {
      readonly kind: "object";
      readonly attributes: ReadonlyMap<string, Type>;
      readonly optional?: ReadonlySet<string>;
    }
  | { readonly kind: "capsule"; readonly name: string };

export type CollectionType = Extract<Type, { element: Type }>;
export type TupleType = Extract<Type, { kind: "tuple" }>;
export type ObjectType = Extract<Type, { kind: "object" }>;

export const stringType: Type = { kind: "string" };
export const numberType: Type = { kind: "number" };
export const boolType: Type = { kind: "bool" };
/** Not known yet; as a wanted type, any type. */
export const dynamicType: Type = { kind: "dynamic" };

export const listOf = (element: Type): CollectionType => ({ kind: "list", element });
export const setOf = (element: Type): CollectionType => ({ kind: "set", element });
export const mapOf = (element: Type): CollectionType => ({ kind: "map", element });
export const tupleOf = (elements: readonly Type[]): TupleType => ({ kind: "tuple", elements });

/** Attributes are kept in the order of their names. */
export function objectOf(
  attributes: Iterable<readonly [string, Type]>,
  optional: Iterable<string> = [],
): ObjectType {
  const sorted = new Map([...attributes].sort(([a], [b]) => compareText(a, b)));
  const names = new Set(optional);
  return names.size === 0
    ? { kind: "object", attributes: sorted }
    : { kind: "object", attributes: sorted, optional: names };
}

export function isPrimitive(type: Type): boolean {
  return type.kind === "string" || type.kind === "number" || type.kind === "bool";
}

export function isCollection(type: Type): type is CollectionType {
  return type.kind === "list" || type.kind === "set" || type.kind === "map";
}

export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case "list":
    case "set":
    case "map":
      return sameType(a.element, (b as CollectionType).element);
    case "tuple": {
      const { elements } = b as TupleType;
      return (
        a.elements.length === elements.length &&
        a.elements.every((type, at) => sameType(type, elements[at] as Type))
      );
    }
    case "object":
      return sameAttributes(a, b as ObjectType);
    case "capsule":
      return a.name === (b as typeof a).name;
    default:
      return true;
  }
}

function sameAttributes(a: ObjectType, b: ObjectType): boolean {
  if (a.attributes.size !== b.attributes.size) return false;
  for (const [name, type] of a.attributes) {
    const other = b.attributes.get(name);
    if (!other || !sameType(type, other)) return false;
    if ((a.optional?.has(name) ?? false) !== (b.optional?.has(name) ?? false)) return false;
  }
  return true;
}

/** The type as values have it: no attribute of an object is optional there. */
export function withoutOptional(type: Type): Type {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return { kind: type.kind, element: withoutOptional(type.element) };
    case "tuple":
      return tupleOf(type.elements.map(withoutOptional));
    case "object":
      return objectOf([...type.attributes].map(([name, attribute]) => [name, withoutOptional(attribute)]));
    default:
      return type;
  }
}

export function hasDynamic(type: Type): boolean {
  switch (type.kind) {
    case "dynamic":
      return true;
    case "list":
    case "set":
    case "map":
      return hasDynamic(type.element);
    case "tuple":
      return type.elements.some(hasDynamic);
    case "object":
      return [...type.attributes.values()].some(hasDynamic);
    default:
      return false;
  }
}

/** How messages call a type: `list of string`. As a constraint, `dynamic` is "any type". */
export function typeName(type: Type, constraint = false): string {
  switch (type.kind) {
    case "dynamic":
      return constraint ? "any type" : "dynamic";
    case "list":
    case "set":
    case "map": {
      const any = constraint && type.element.kind === "dynamic";
      return `${type.kind} of ${any ? "any single type" : typeName(type.element, constraint)}`;
    }
    case "capsule":
      return type.name;
    default:
      return type.kind;
  }
}
