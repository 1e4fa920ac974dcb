import { posix } from "node:path";
import { buildkitConfigDir, parseBuildkitdToml } from "./buildkitd-config.js";
import { textOf } from "./json.js";
import { readRegistryTables, textsOf } from "./registry-tables.js";

/** What a `buildkitd.toml` says about one registry. Certificates are PEM texts. */
export interface RegistrySettings {
  /** Hosts to try first, each perhaps with a port and a path. */
  mirrors: string[];
  /** Plain HTTP. Undefined leaves it to the client: plain for this machine only. */
  http?: boolean;
  /** Do not verify certificates. */
  insecure: boolean;
  ca: string[];
  keyPairs: { key: string; cert: string }[];
}

/**
 * The registry settings in a builder's stored files (the result of `loadBuildkitdConfig`, or a node's `Files`), by
 * registry host. Certificates that are not among the files are left out. No `buildkitd.toml`: empty.
 *
 * @throws ConfigError when the TOML is malformed.
 */
export async function readRegistrySettings(
  files: ReadonlyMap<string, Uint8Array>,
): Promise<Map<string, RegistrySettings>> {
  const content = files.get("buildkitd.toml");
  const settings = new Map<string, RegistrySettings>();
  if (content === undefined) return settings;
  const stored = (path: unknown): string | undefined =>
    typeof path === "string" ? textIfThere(files.get(posix.relative(buildkitConfigDir, path))) : undefined;
  const root = await parseBuildkitdToml("buildkitd.toml", content);
  for (const { name, table, keyPairs } of readRegistryTables("buildkitd.toml", root)) {
    settings.set(name, {
      mirrors: textsOf(table["mirrors"]) ?? [],
      ...(typeof table["http"] === "boolean" && { http: table["http"] }),
      insecure: table["insecure"] === true,
      ca: (textsOf(table["ca"]) ?? []).map(stored).filter((pem) => pem !== undefined),
      keyPairs: keyPairs.flatMap((pair) => {
        const [key, cert] = [stored(pair["key"]), stored(pair["cert"])];
        return key !== undefined && cert !== undefined ? [{ key, cert }] : [];
      }),
    });
  }
  return settings;
}

function textIfThere(content: Uint8Array | undefined): string | undefined {
  return content && textOf(content);
}
