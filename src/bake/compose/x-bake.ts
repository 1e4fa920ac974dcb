import { lastByKey, parseCaches, parseOutput, parseSecret, parseSsh } from "../entries.js";
import type { TargetFields } from "../target.js";
import { type Item, isMap, scalarText } from "./item.js";

/**
 * Adds what the extension `x-bake` of a build section says to a target: to lists behind what is there, contexts where there is none
 * of the name.
 */
export function addBakeFields(target: TargetFields, given: Item | undefined): void {
  if (!isMap(given)) return;
  const words = (key: string): string[] => {
    const item = given.get(key);
    if (Array.isArray(item)) return item.map((one) => scalarText(one) ?? "");
    return (scalarText(item) ?? "").split(/\s+/).filter((word) => word !== "");
  };
  for (const key of ["tags", "platforms", "no-cache-filter"] as const) {
    const own = words(key);
    if (own.length === 0) continue;
    target[key] = [...new Set([...(target[key] ?? []), ...own])];
  }
  for (const key of ["cache-from", "cache-to"] as const) {
    const own = words(key).flatMap(parseCaches);
    if (own.length > 0) target[key] = [...(target[key] ?? []), ...own];
  }
  const [secrets, agents, outputs] = [words("secret"), words("ssh"), words("output")];
  if (secrets.length > 0) target.secret = byId([...(target.secret ?? []), ...secrets.map(parseSecret)]);
  if (agents.length > 0) target.ssh = byId([...(target.ssh ?? []), ...agents.map(parseSsh)]);
  if (outputs.length > 0) target.output = [...(target.output ?? []), ...outputs.map(parseOutput)];
  for (const key of ["pull", "no-cache"] as const) {
    const value = given.get(key);
    if (typeof value === "boolean") target[key] = value;
  }
  const contexts = given.get("contexts");
  if (isMap(contexts))
    target.contexts = new Map([
      ...[...contexts].map(([name, value]): [string, string] => [name, scalarText(value) ?? ""]),
      ...(target.contexts ?? []),
    ]);
}

function byId<Entry extends { id: string }>(entries: readonly Entry[]): Entry[] {
  return lastByKey(entries, ({ id }) => id);
}
