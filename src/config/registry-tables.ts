import type { TomlTable } from "smol-toml";
import { invalidConfig } from "./config-error.js";

/** One `[registry."name"]` of a `buildkitd.toml`, with the tables themselves so that they can be rewritten. */
export interface RegistryTable {
  name: string;
  table: TomlTable;
  keyPairs: TomlTable[];
}

/** The registries of a parsed `buildkitd.toml`, their fields checked (buildkit util/resolver/config `RegistryConfig`). */
export function readRegistryTables(path: string, root: TomlTable): RegistryTable[] {
  const registries = asTable(root["registry"]) ?? {};
  return Object.entries(registries).map(([name, value]) => {
    const at = `registry.${JSON.stringify(name)}`;
    const wrong = (field: string, expected: string) =>
      invalidConfig(path, `${field === "" ? at : `${at}.${field}`} must be ${expected}`);
    const table = asTable(value);
    if (table === undefined) throw wrong("", "a table");
    for (const field of ["mirrors", "ca", "tlsconfigdir"]) {
      if (table[field] !== undefined && !textsOf(table[field])) throw wrong(field, "a list of strings");
    }
    for (const field of ["http", "insecure"]) {
      if (table[field] !== undefined && typeof table[field] !== "boolean")
        throw wrong(field, "true or false");
    }
    const pairs = table["keypair"] ?? [];
    const keyPairs = Array.isArray(pairs) ? pairs.map(asTable) : [undefined];
    if (!keyPairs.every((pair) => pair !== undefined)) throw wrong("keypair", "a list of tables");
    for (const pair of keyPairs) {
      for (const field of ["key", "cert"]) {
        if (pair[field] !== undefined && typeof pair[field] !== "string")
          throw wrong(`keypair.${field}`, "a string");
      }
    }
    return { name, table, keyPairs };
  });
}

/** The value as a table, undefined when it is anything else. */
export function asTable(value: unknown): TomlTable | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Date)
    return undefined;
  return value as TomlTable;
}

/** The value as a list of strings, undefined when it is anything else. */
export function textsOf(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}
