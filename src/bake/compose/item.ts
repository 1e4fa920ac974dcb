/** A value of a compose file. Mappings are Maps, so that every key is one like any other. */
export type Item = ItemMap | Item[] | string | bigint | number | boolean | null | Marked;
export type ItemMap = Map<string, Item>;

/** A value with `!reset` or `!override`: it removes the value that it is put over, and with `!reset` itself too. */
export class Marked {
  readonly value: Item | undefined;

  constructor(value: Item | undefined) {
    this.value = value;
  }
}

export function isMap(item: Item | undefined): item is ItemMap {
  return item instanceof Map;
}

/** A scalar as text; undefined for null and what is none. */
export function scalarText(item: Item | undefined): string | undefined {
  if (typeof item === "string") return item;
  return typeof item === "number" || typeof item === "bigint" || typeof item === "boolean"
    ? String(item)
    : undefined;
}

/** What lies below a path of keys. */
export function at(item: Item | undefined, ...keys: string[]): Item | undefined {
  let found = item;
  for (const key of keys) found = isMap(found) ? found.get(key) : undefined;
  return found;
}
