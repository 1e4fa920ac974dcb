import { type JsonObject, editDockerConfig, isJsonObject, loadDockerConfig } from "../config/index.js";
import { InvalidArgumentError, isSlipwayError, messageOf } from "../core/index.js";
import {
  RegistryClient,
  credentialsKey,
  eraseFromHelper,
  familiarHost,
  registryHost,
  serverName,
  storeInHelper,
} from "../registry/index.js";
import { type SettingsContext, withRegistrySettings } from "./registry-settings.js";

/** Options of {@link loginToRegistry}. */
export interface LoginOptions extends SettingsContext {
  /** A host, with port when it has one, or a URL of it; Docker Hub when not given. */
  server?: string | undefined;
  username: string;
  password: string;
}

/** Options of {@link logoutFromRegistry}. */
export interface LogoutOptions extends SettingsContext {
  server?: string | undefined;
  onWarning?: ((text: string) => void) | undefined;
}

/**
 * Keeps credentials for a registry where docker keeps them: in the credential helper that `config.json` names for it, else in that file.
 * The registry is asked first whether it takes them.
 *
 * @returns the file that holds the password unencrypted; undefined when a helper has it.
 * @throws RegistryError when the registry refuses them or cannot be reached, nothing is changed then; ConfigError for a broken `config.json`.
 */
export async function loginToRegistry(options: LoginOptions): Promise<string | undefined> {
  const { env, username, password, signal } = options;
  const host = serverHost(options.server);
  // Not a named pipe, in which nothing can be kept: so without a signal.
  const config = await loadDockerConfig(env, { strict: true });
  const credentials = { username, password };
  await withRegistrySettings(host, { env, signal }, async (settings) => {
    await using client = new RegistryClient({
      env,
      credentials: (request) =>
        Promise.resolve(request.host === registryHost(host) ? credentials : undefined),
      settings,
    });
    await client.checkAccess(host, { signal });
  });
  const key = credentialsKey(host);
  const helper = config.credHelpers.get(key) ?? config.credsStore;
  if (!helper) {
    const auth = Buffer.from(`${username}:${password}`).toString("base64");
    return editDockerConfig(env, (raw) => withAuth(raw, key, { auth }), { signal });
  }
  await storeInHelper(helper, key, credentials, { env, signal });
  // As docker does it: the entry says that there is something in the helper.
  await editDockerConfig(env, (raw) => withAuth(raw, key, {}), { signal });
  return undefined;
}

/**
 * Forgets the credentials for a registry, in whatever form of its name they were kept; nothing happens when there are none.
 *
 * @throws ConfigError for a broken `config.json`.
 */
export async function logoutFromRegistry({ server, env, onWarning, signal }: LogoutOptions): Promise<void> {
  const host = serverHost(server);
  const config = await loadDockerConfig(env, { strict: true });
  const key = credentialsKey(host);
  const keys = key === host ? [host, `http://${host}`, `https://${host}`] : [key];
  const helper = config.credHelpers.get(key) ?? config.credsStore;
  if (helper)
    for (const name of keys)
      await eraseFromHelper(helper, name, { env, signal }).catch((error: unknown) => {
        if (!isSlipwayError(error, "REGISTRY_CREDENTIAL_HELPER")) throw error;
        if (name === key) onWarning?.(`could not erase credentials: ${messageOf(error)}`);
      });
  const isKept = ({ auths }: JsonObject) =>
    isJsonObject(auths) && keys.some((name) => Object.hasOwn(auths, name));
  if (!isJsonObject(config.raw) || !isKept(config.raw)) return;
  await editDockerConfig(env, (raw) => keys.reduce((from, name) => withAuth(from, name, undefined), raw), {
    signal,
  });
}

/** The registry's name as people know it. @throws InvalidArgumentError */
export function serverHost(server: string | undefined): string {
  if (server === undefined) return "docker.io";
  const host = serverName(server);
  if (!/^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)(?::\d{1,5})?$/.test(host))
    throw new InvalidArgumentError(
      `invalid registry ${JSON.stringify(server)}, expecting a host such as registry.example.com:5000`,
    );
  return familiarHost(host);
}

/** What a registry's credentials are kept under. @throws InvalidArgumentError */
export function serverKey(server: string | undefined): string {
  return credentialsKey(serverHost(server));
}

function withAuth(raw: JsonObject, key: string, entry: JsonObject | undefined): JsonObject {
  const auths = new Map(Object.entries(isJsonObject(raw["auths"]) ? raw["auths"] : {}));
  if (entry) auths.set(key, entry);
  else auths.delete(key);
  return { ...raw, auths: Object.fromEntries(auths) };
}
