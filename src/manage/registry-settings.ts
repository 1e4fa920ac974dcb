import { stat } from "node:fs/promises";
import { BlockList, isIP } from "node:net";
import { join } from "node:path";
import {
  type Environment,
  type RegistrySettings,
  buildxConfigDir,
  loadBuildkitdConfig,
  loadDockerConfig,
  readRegistrySettings,
  resolveDockerEndpoint,
} from "../config/index.js";
import { isSlipwayError } from "../core/index.js";
import { openEngine } from "../driver/index.js";
import type { RegistryConfig } from "../engine-api/index.js";

/** Where settings are looked for, and how long is waited. */
export interface SettingsContext {
  env: Environment;
  signal?: AbortSignal | undefined;
}

/** How long the engine may take to say which registries it takes without TLS, in ms. */
const engineMilliseconds = 5_000;

/** What `buildkitd.default.toml` says of registries: new builders go by it, too. */
export async function defaultRegistrySettings({
  env,
  signal,
}: SettingsContext): Promise<Map<string, RegistrySettings>> {
  const path = join(buildxConfigDir(env), "buildkitd.default.toml");
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (!isThere) return new Map();
  return readRegistrySettings(await loadBuildkitdConfig(path, { signal }));
}

/**
 * Talks with one registry as `buildkitd.default.toml` says. One that it does not name, and that TLS does not reach, is tried again
 * without certificates and then without TLS where the engine does so: docker has the engine check a login, which goes by
 * `insecure-registries` of its daemon.json.
 *
 * @param host as in references: `docker.io`, `localhost:5000`
 */
export async function withRegistrySettings<T>(
  host: string,
  context: SettingsContext,
  work: (settings: Map<string, RegistrySettings>) => Promise<T>,
): Promise<T> {
  const settings = await defaultRegistrySettings(context);
  const attempt = (http: boolean) =>
    work(new Map(settings).set(host, { mirrors: [], ca: [], keyPairs: [], insecure: true, http }));
  try {
    return await work(settings);
  } catch (error) {
    if (settings.has(host) || !isNotReached(error) || !(await isInsecureForEngine(host, context)))
      throw error;
  }
  try {
    return await attempt(false);
  } catch (error) {
    if (!isNotReached(error)) throw error;
  }
  return attempt(true);
}

function isNotReached(error: unknown): boolean {
  return isSlipwayError(error, "REGISTRY_CONNECT");
}

/** False also where no engine answers. */
async function isInsecureForEngine(host: string, { env, signal }: SettingsContext): Promise<boolean> {
  try {
    const endpoint = await resolveDockerEndpoint(env, await loadDockerConfig(env, { signal }));
    // A login is not worth another, over ssh.
    if (endpoint.host.startsWith("ssh:")) return false;
    await using engine = openEngine(endpoint, env);
    const { RegistryConfig } = await engine.info({ signal, milliseconds: engineMilliseconds });
    return isInsecure(host, RegistryConfig ?? {});
  } catch (error) {
    if (isSlipwayError(error, "ABORTED")) throw error;
    return false;
  }
}

/** As the engine decides it (moby registry/config.go isSecureIndex), but for names, whose addresses it looks up. */
export function isInsecure(
  host: string,
  { IndexConfigs, InsecureRegistryCIDRs }: Partial<RegistryConfig>,
): boolean {
  const named = Object.entries(IndexConfigs ?? {}).find(([name]) => name === host)?.[1];
  if (named) return !(named.Secure ?? true);
  const address = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  const family = isIP(address);
  if (family === 0) return false;
  const networks = new BlockList();
  for (const network of InsecureRegistryCIDRs ?? []) {
    const [net = "", length = ""] = network.split("/");
    const version = isIP(net);
    const bits = Number(length);
    if (version !== 0 && bits <= (version === 4 ? 32 : 128))
      networks.addSubnet(net, bits, `ipv${version as 4 | 6}`);
  }
  return networks.check(address, `ipv${family as 4 | 6}`);
}
