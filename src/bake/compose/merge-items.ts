import { type Item, type ItemMap, Marked, isMap, scalarText } from "./item.js";

/** Lists of a service that stand for mappings, by their path in it. */
const pairLists = new Set(["environment", "build.args", "build.labels", "build.additional_contexts"]);

/** A service with its lists of `KEY=VALUE` as mappings, and its build as one, so that services can be put together. */
export function normalService(service: ItemMap): ItemMap {
  const build = service.get("build");
  const whole = new Map(service);
  if (typeof build === "string") whole.set("build", new Map([["context", build]]));
  return withMappings(whole, "") as ItemMap;
}

function withMappings(item: Item, path: string): Item {
  if (item instanceof Marked)
    return item.value === undefined ? item : new Marked(withMappings(item.value, path));
  if (Array.isArray(item) && pairLists.has(path)) return new Map(item.map(pairOf));
  if (Array.isArray(item) && path === "build.extra_hosts") return hostsOf(item);
  if (!isMap(item) || (path !== "" && path !== "build")) return item;
  return new Map(
    [...item].map(([key, value]) => [key, withMappings(value, path === "" ? key : `${path}.${key}`)]),
  );
}

function pairOf(item: Item): [string, Item] {
  const text = scalarText(item) ?? "";
  const equals = text.indexOf("=");
  return equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** Addresses by host; a host may have several. */
function hostsOf(list: readonly Item[]): ItemMap {
  const hosts: ItemMap = new Map();
  for (const item of list) {
    const text = scalarText(item) ?? "";
    const end = text.includes("=") ? text.indexOf("=") : text.indexOf(":");
    const host = end < 0 ? text : text.slice(0, end);
    const address = end < 0 ? "" : text.slice(end + 1);
    hosts.set(host, [...((hosts.get(host) as Item[] | undefined) ?? []), address]);
  }
  return hosts;
}

/** Puts a value over another: mappings by key, lists behind each other without what is there twice, all else replaced. */
export function mergeItems(base: Item | undefined, over: Item): Item {
  if (over instanceof Marked) return over.value === undefined ? null : plainItem(over.value);
  if (isMap(base) && isMap(over)) {
    const merged = new Map(base);
    for (const [key, value] of over) {
      if (value instanceof Marked && value.value === undefined) merged.delete(key);
      else merged.set(key, mergeItems(base.get(key), value));
    }
    return merged;
  }
  if (Array.isArray(base) && Array.isArray(over)) return unique([...base, ...over.map(plainItem)]);
  return plainItem(over);
}

function unique(list: readonly Item[]): Item[] {
  const seen = new Set<string>();
  return list.filter((item) => {
    const text = scalarText(item);
    if (text === undefined) return true;
    if (seen.has(text)) return false;
    return seen.add(text);
  });
}

/** A value without marks. */
export function plainItem(item: Item): Item {
  if (item instanceof Marked) return item.value === undefined ? null : plainItem(item.value);
  if (Array.isArray(item)) return item.map(plainItem);
  if (!isMap(item)) return item;
  return new Map(
    [...item].flatMap(([key, value]): [string, Item][] =>
      value instanceof Marked && value.value === undefined ? [] : [[key, plainItem(value)]],
    ),
  );
}
