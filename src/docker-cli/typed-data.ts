/**
 * What templates see of a kind of object, as docker's Go types have it: a field that the engine leaves out has its zero
 * value, and a field that does not exist is an error.
 */
export type Shape =
  | { struct: Readonly<Record<string, Shape>> }
  | { map: true }
  | { list: true }
  | { zero: string | number | boolean };

/** A text, empty where the engine gives none. */
export const text: Shape = { zero: "" };
/** A number, 0 where the engine gives none. */
export const number: Shape = { zero: 0 };
/** A switch, off where the engine does not speak of it. */
export const flag: Shape = { zero: false };
/** A list, empty where the engine gives none. */
export const list: Shape = { list: true };
/** A map, in which a key that is not there is no error. */
export const map: Shape = { map: true };

/** An object with these fields. */
export function struct(fields: Readonly<Record<string, Shape>>): Shape {
  return { struct: fields };
}

/** Fields of one shape. */
export function fields(shape: Shape, ...names: string[]): Record<string, Shape> {
  return Object.fromEntries(names.map((name) => [name, shape]));
}

/** A value of the engine's as templates see it. `{{json .}}` prints the engine's own. */
export function typedData(value: unknown, shape: Shape | undefined): unknown {
  if (shape === undefined) return untyped(value);
  if ("zero" in shape) return value ?? shape.zero;
  if ("list" in shape) return Array.isArray(value) ? value.map(untyped) : [];
  const given = isRecord(value) ? value : {};
  if ("map" in shape) return untyped(given);
  const known = Object.entries(shape.struct).map(([name, inner]) => [name, typedData(given[name], inner)]);
  const others = Object.entries(given)
    .filter(([name]) => !Object.hasOwn(shape.struct, name))
    .map(([name, inner]) => [name, untyped(inner)]);
  const typed = Object.fromEntries([...known, ...others]) as object;
  return Object.defineProperty(typed, "toJSON", { value: () => value ?? {}, configurable: true });
}

function untyped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untyped);
  if (!isRecord(value)) return value;
  return new Map(Object.entries(value).map(([name, inner]) => [name, untyped(inner)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
