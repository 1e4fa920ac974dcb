import { join } from "node:path";
import {
  type DockerConfig,
  type Environment,
  buildxConfigDir,
  dockerConfigDir,
  loadDockerConfig,
  parseAuthEnvironment,
} from "../config/index.js";
import { isSlipwayError, messageOf, throwIfAborted } from "../core/index.js";
import { runCredentialHelper } from "./credential-helper.js";
import type { CredentialProvider, CredentialRequest, RegistryCredentials } from "./credentials.js";
import { credentialsKey, hubRegistryHost, serverName } from "./hub.js";
import { type ScopedConfig, findScopedConfigs, matchScopedConfig } from "./scoped-configs.js";

/** Options of {@link dockerCredentials}. */
export interface DockerCredentialsOptions {
  env: Environment;
  /** Docker's configuration, when it is loaded already; else it is loaded at the first request. */
  config?: DockerConfig | undefined;
  /** Told, once each, what kept credentials from being found; such hosts are treated as anonymous (SEC-20). */
  onWarning?: ((text: string) => void) | undefined;
  /** Limit of one helper, ms. Default 30 s. */
  helperTimeoutMilliseconds?: number;
  /** Clock, ms. */
  now?: () => number;
}

/** Tokens of some cloud registries live five minutes (buildx dockerconfig `ExpireCachedAuthCheck`). */
const cacheMilliseconds = (4 * 60 + 50) * 1000;
/** A helper that failed is not asked again for every blob, but soon. */
const failureMilliseconds = 30_000;
/** Registries of Docker's that take the Hub's credentials when they have none of their own (buildx dockerconfig). */
const hubBackedHosts = new Set(["dhi.io", "registry.scout.docker.com"]);

interface CacheEntry {
  expires: number;
  credentials: RegistryCredentials | undefined;
}

/**
 * Credentials as docker and buildx find them: `DOCKER_AUTH_CONFIG`, then the registry's credential helper, then the
 * helper for all, then `auths` of `config.json`; buildx's configurations by scope replace `config.json` where they
 * match. Cached by host for 4 min 50 s; one request at a time, since keychains hang otherwise (docker/cli #1862).
 */
export function dockerCredentials(options: DockerCredentialsOptions): CredentialProvider {
  const found = new DockerCredentials(options);
  const path = options.config?.path ?? join(dockerConfigDir(options.env), "config.json");
  const source = options.env["DOCKER_AUTH_CONFIG"] ? `DOCKER_AUTH_CONFIG and ${path}` : path;
  const provider: CredentialProvider = (request) => found.find(request);
  return Object.assign(provider, { source });
}

class DockerCredentials {
  readonly #options: DockerCredentialsOptions;
  readonly #now: () => number;
  readonly #cache = new Map<string, CacheEntry>();
  readonly #configs = new Map<string, Promise<DockerConfig>>();
  readonly #warned = new Set<string>();
  #scoped: Promise<ScopedConfig[]> | undefined;
  /** The request before. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: DockerCredentialsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async find(request: CredentialRequest): Promise<RegistryCredentials | undefined> {
    const result = this.#tail.then(async () => {
      const own = await this.#lookUp(request.host, request);
      if (!isEmpty(own) || !hubBackedHosts.has(request.host)) return isEmpty(own) ? undefined : own;
      const hub = await this.#lookUp(hubRegistryHost, request);
      return isEmpty(hub) ? undefined : hub;
    });
    this.#tail = result.catch(() => {});
    return await result;
  }

  async #lookUp(
    host: string,
    { scopes, signal }: CredentialRequest,
  ): Promise<RegistryCredentials | undefined> {
    throwIfAborted(signal);
    this.#scoped ??= findScopedConfigs(buildxConfigDir(this.#options.env));
    const found = matchScopedConfig(await this.#scoped, host, scopes);
    const cacheKey = `${host}|${found?.dir ?? ""}`;
    const cached = this.#cache.get(cacheKey);
    if (cached && this.#now() < cached.expires) return cached.credentials;
    const { credentials, failed } = await this.#ask(await this.#configFor(found), host, signal);
    const expires = this.#now() + (failed ? failureMilliseconds : cacheMilliseconds);
    this.#cache.set(cacheKey, { credentials, expires });
    return credentials;
  }

  async #ask(config: DockerConfig, host: string, signal: AbortSignal | undefined) {
    const { env, helperTimeoutMilliseconds } = this.#options;
    const key = credentialsKey(host);
    const fromEnvironment = environmentCredentials(env, key, (text) => this.#warn(text));
    if (fromEnvironment) return { credentials: fromEnvironment, failed: false };
    // An empty name is a helper too: none, for this host (docker/cli getConfiguredCredentialStore).
    const helper = config.credHelpers.get(key) ?? config.credHelpers.get(host) ?? config.credsStore;
    if (helper === undefined || helper === "")
      return { credentials: findAuth(config.auths, key), failed: false };
    try {
      const timeout = helperTimeoutMilliseconds !== undefined && {
        timeoutMilliseconds: helperTimeoutMilliseconds,
      };
      const credentials = await runCredentialHelper(helper, key, { env, signal, ...timeout });
      // A registry token is never in a helper, but may stand in the file beside it.
      const registryToken = config.auths.get(key)?.registryToken;
      return { credentials: registryToken ? { ...credentials, registryToken } : credentials, failed: false };
    } catch (error) {
      throwIfAborted(signal);
      if (!isSlipwayError(error)) throw error;
      this.#warn(`no credentials for ${host}: ${error.message}`);
      return { credentials: undefined, failed: true };
    }
  }

  async #configFor(found: ScopedConfig | undefined): Promise<DockerConfig> {
    if (!found) return await this.#mainConfig();
    try {
      return await memo(this.#configs, found.dir, () => this.#load(found.dir));
    } catch (error) {
      this.#warn(`ignoring alternative credentials: ${messageOf(error)}`);
      return await this.#mainConfig();
    }
  }

  #mainConfig(): Promise<DockerConfig> {
    const { config } = this.#options;
    return config ? Promise.resolve(config) : memo(this.#configs, "", () => this.#load());
  }

  /** Who gave a configuration tells of its problems. */
  async #load(dir?: string): Promise<DockerConfig> {
    const config = await loadDockerConfig(this.#options.env, dir === undefined ? {} : { dir, strict: true });
    for (const problem of config.problems) this.#warn(problem);
    return config;
  }

  #warn(text: string): void {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#options.onWarning?.(text);
  }
}

function isEmpty(credentials: RegistryCredentials | undefined): boolean {
  return !credentials || Object.values(credentials).every((value) => !value);
}

/** The entry of a key; old files have URLs where the key is a host (docker/cli `ConvertToHostname`). */
function findAuth(
  auths: ReadonlyMap<string, RegistryCredentials>,
  key: string,
): RegistryCredentials | undefined {
  const exact = auths.get(key);
  if (exact) return exact;
  for (const [name, entry] of auths) {
    if (serverName(name) === key) return entry;
  }
  return undefined;
}

function environmentCredentials(
  env: Environment,
  key: string,
  warn: (text: string) => void,
): RegistryCredentials | undefined {
  try {
    return parseAuthEnvironment(env)?.get(key);
  } catch (error) {
    warn(`ignoring DOCKER_AUTH_CONFIG: ${messageOf(error)}`);
    return undefined;
  }
}

/** The value of `make`, made once by key; a failure is not kept. */
function memo<T>(values: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let value = values.get(key);
  if (!value) {
    value = make();
    values.set(key, value);
    value.catch(() => values.delete(key));
  }
  return value;
}
