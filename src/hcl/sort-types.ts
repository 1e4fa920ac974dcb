import { type CollectionType, type ObjectType, type TupleType, type Type, isPrimitive } from "./types.js";

/** Indices of types, those that others can be converted to first. go-cty 1.17 convert/sort_types.go. */
export function generalFirst(types: readonly Type[]): number[] {
  const below = types.map((): number[] => []);
  const above = types.map(() => 0);
  for (let i = 0; i < types.length; i++) {
    for (let j = i + 1; j < types.length; j++) {
      const order = compareTypes(types[i] as Type, types[j] as Type);
      if (order === 0) continue;
      const [first, second] = order < 0 ? [i, j] : [j, i];
      below[first]?.push(second);
      above[second] = (above[second] as number) + 1;
    }
  }
  const sorted = [...above.keys()].filter((at) => above[at] === 0);
  for (const at of sorted) {
    for (const next of below[at] as number[]) {
      above[next] = (above[next] as number) - 1;
      if (above[next] === 0) sorted.push(next);
    }
  }
  return sorted;
}

/** Negative if `a` is the more general of the two. */
function compareTypes(a: Type, b: Type): number {
  if (a.kind === "dynamic" || b.kind === "dynamic")
    return Number(a.kind === "dynamic") - Number(b.kind === "dynamic");
  if (isPrimitive(a) && isPrimitive(b)) return Number(a.kind !== "string") - Number(b.kind !== "string");
  if (a.kind === b.kind && (a.kind === "list" || a.kind === "set" || a.kind === "map")) {
    return compareTypes(a.element, (b as CollectionType).element);
  }
  const pair = `${a.kind} ${b.kind}`;
  if (pair === "tuple set" || pair === "list set" || pair === "list tuple" || pair === "map object")
    return -1;
  if (pair === "set tuple" || pair === "set list" || pair === "tuple list" || pair === "object map") return 1;
  if (a.kind === "object" && b.kind === "object") return compareObjects(a, b);
  if (a.kind === "tuple" && b.kind === "tuple") return compareTuples(a, b);
  return 0;
}

function compareObjects(a: ObjectType, b: ObjectType): number {
  if (a.attributes.size !== b.attributes.size) return 0;
  const orders: number[] = [];
  for (const [name, type] of a.attributes) {
    const other = b.attributes.get(name);
    if (!other) return 0;
    orders.push(compareTypes(type, other));
  }
  return agreed(orders);
}

function compareTuples(a: TupleType, b: TupleType): number {
  if (a.elements.length !== b.elements.length) return 0;
  return agreed(a.elements.map((type, at) => compareTypes(type, b.elements[at] as Type)));
}

function agreed(orders: readonly number[]): number {
  const less = orders.some((order) => order < 0);
  const more = orders.some((order) => order > 0);
  if (less === more) return 0;
  return less ? -1 : 1;
}
