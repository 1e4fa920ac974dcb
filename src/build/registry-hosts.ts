import { type RegistrySettings, parseGoBool, readRegistrySettings } from "../config/index.js";
import { messageOf } from "../core/index.js";
import { parseReference, registryHost } from "../registry/index.js";
import type { SolvePlan } from "./solve-plan.js";

/**
 * How token servers of registries may be spoken to, by the registry's host: as the builder's `buildkitd.toml` says, and
 * without TLS where an output or a cache has `registry.insecure=true` (buildkit exporter/containerimage, cache/remotecache).
 */
export async function registryHosts(
  plan: Pick<SolvePlan, "exports" | "caches">,
  files: ReadonlyMap<string, Uint8Array> = new Map(),
  onWarning?: (text: string) => void,
): Promise<Map<string, RegistrySettings>> {
  let settings = new Map<string, RegistrySettings>();
  try {
    settings = await readRegistrySettings(files);
  } catch (error) {
    // The builder has read it already, in its own way.
    onWarning?.(`token servers are asked without the builder's settings: ${messageOf(error)}`);
  }
  const { imports, exports } = plan.caches;
  for (const { attrs } of [...plan.exports, ...imports, ...exports]) {
    if (parseGoBool(attrs["registry.insecure"] ?? "") !== true) continue;
    for (const name of (attrs["name"] ?? attrs["ref"] ?? "").split(",").filter((text) => text !== "")) {
      const host = hostOf(name);
      if (host === undefined) continue;
      const known = settings.get(host) ?? { mirrors: [], ca: [], keyPairs: [] };
      settings.set(host, { ...known, insecure: true, http: true });
    }
  }
  return settings;
}

/** The host of a reference; undefined for what is none, which the builder will refuse. */
function hostOf(name: string): string | undefined {
  try {
    return registryHost(parseReference(name).domain);
  } catch {
    return undefined;
  }
}
