import { posix } from "node:path";
import type { TomlTable } from "smol-toml";
import { messageOf } from "../core/index.js";
import { checkBuildkitdKinds } from "./buildkitd-kinds.js";
import { ConfigError, invalidConfig } from "./config-error.js";
import { textOf } from "./json.js";
import { readConfigFile } from "./read-file.js";
import { asTable, readRegistryTables, textsOf } from "./registry-tables.js";

/** Configuration directory inside a builder container (buildx util/confutil `DefaultBuildKitConfigDir`). */
export const buildkitConfigDir = "/etc/buildkit";

/** Longest `buildkitd.toml`, certificate or key, bytes (buildx util/confutil `readFile`). */
const maxFileBytes = 1024 * 1024;

/**
 * Files to copy into a builder's {@link buildkitConfigDir}, by relative path: `buildkitd.toml`, and the CA and key
 * files its registries name, as `certs/<registry>/<basename>` with their paths in the TOML rewritten. Without such
 * files the TOML is passed on byte for byte (buildx util/confutil `LoadConfigFiles`).
 *
 * @throws ConfigError naming the file that is missing, unreadable, over 1 MiB or malformed.
 */
export async function loadBuildkitdConfig(
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<Map<string, Buffer>> {
  const content = await readRequired(path, `buildkit configuration file not found: ${path}`, options);
  const table = await parseBuildkitdToml(path, content);
  const files = new Map<string, Buffer>();
  for (const { name, table: registry, keyPairs } of readRegistryTables(path, table)) {
    const dir = `certs/${name.replace(/[^a-zA-Z0-9.-]+/g, "_")}`;
    const copy = async (source: string, kind: string): Promise<string> => {
      const data = await readRequired(
        source,
        `failed to read ${kind} file: ${source}: no such file`,
        options,
      );
      const target = freeName(files, dir, posix.basename(source), data);
      files.set(target, data);
      return posix.join(buildkitConfigDir, target);
    };
    const ca = textsOf(registry["ca"]) ?? [];
    if (ca.length > 0) {
      const targets: string[] = [];
      for (const source of ca) targets.push(await copy(source, "CA"));
      registry["ca"] = targets;
    }
    for (const pair of keyPairs) {
      if (typeof pair["key"] === "string" && pair["key"]) pair["key"] = await copy(pair["key"], "key");
      if (typeof pair["cert"] === "string" && pair["cert"]) pair["cert"] = await copy(pair["cert"], "cert");
    }
  }
  if (files.size === 0) return new Map([["buildkitd.toml", content]]);
  const { stringify } = await import("smol-toml");
  // Integers were read as bigint, so every number left is a float and must stay one.
  files.set("buildkitd.toml", Buffer.from(stringify(table, { numbersAsFloat: true })));
  return files;
}

/** The top-level `insecure-entitlements` of a `buildkitd.toml`. */
export async function buildkitdEntitlements(path: string, content: Buffer): Promise<string[]> {
  return textsOf((await parseBuildkitdToml(path, content))["insecure-entitlements"]) ?? [];
}

/** Parses a `buildkitd.toml` and checks the kinds of what is known. `path` is for the errors. */
export async function parseBuildkitdToml(path: string, content: Uint8Array): Promise<TomlTable> {
  const { parse } = await import("smol-toml");
  let table: TomlTable;
  try {
    // A file without a BOM parses the same; the parser refuses one.
    table = parse(textOf(content), { integersAsBigInt: true, maxDepth: 100 });
  } catch (error) {
    throw invalidConfig(path, `invalid TOML: ${messageOf(error).split("\n", 1)[0]}`, error);
  }
  if (table["registry"] !== undefined && asTable(table["registry"]) === undefined) {
    throw invalidConfig(path, "registry must be a table");
  }
  readRegistryTables(path, table);
  checkBuildkitdKinds(path, table);
  return table;
}

async function readRequired(
  path: string,
  missing: string,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<Buffer> {
  const content = await readConfigFile(path, { limit: maxFileBytes, special: "read", signal });
  if (content === undefined) throw new ConfigError("CONFIG_UNREADABLE", path, missing);
  return content;
}

/** Two files of one basename but different content must not replace each other. */
function freeName(files: Map<string, Buffer>, dir: string, base: string, data: Buffer): string {
  for (let n = 0; ; n++) {
    const name = `${dir}/${n === 0 ? base : `${n}-${base}`}`;
    const taken = files.get(name);
    if (taken === undefined || taken.equals(data)) return name;
  }
}
