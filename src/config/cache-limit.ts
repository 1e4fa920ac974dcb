import type { TomlTable } from "smol-toml";
import { InvalidArgumentError } from "../core/index.js";
import { parseBuildkitdToml } from "./buildkitd-config.js";
import { asTable } from "./registry-tables.js";

/**
 * A `buildkitd.toml` whose OCI worker keeps no more than so many bytes of cache (BuildKit 0.17 `maxUsedSpace`).
 *
 * @param content what the limit is added to, if there is anything.
 * @throws InvalidArgumentError for a limit that is none, and for a config with rules of its own; ConfigError for a broken one.
 */
export async function withCacheLimit(content: Buffer | undefined, bytes: number): Promise<Buffer> {
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw new InvalidArgumentError(`invalid cache size ${bytes}, expecting a number of bytes above 0`);
  const table = await parseBuildkitdToml("buildkitd.toml", content ?? Buffer.alloc(0));
  const worker = tableIn(table, "worker");
  const oci = tableIn(worker, "oci");
  if (oci["gcpolicy"] !== undefined || oci["gc"] === false)
    throw new InvalidArgumentError(
      "the config has rules for garbage collection of its own (worker.oci); give the limit there, or leave it out",
    );
  oci["gc"] = true;
  oci["maxUsedSpace"] = BigInt(bytes);
  const { stringify } = await import("smol-toml");
  // Integers were read as bigint, so every number left is a float and must stay one.
  return Buffer.from(stringify(table, { numbersAsFloat: true }));
}

function tableIn(parent: TomlTable, name: string): TomlTable {
  const found = asTable(parent[name]) ?? {};
  parent[name] = found;
  return found;
}
