import { join } from "node:path";
import { messageOf, trimBoth } from "../core/index.js";
import { dockerConfigDir } from "./config-dir.js";
import type { Environment } from "./environment.js";
import { sharedReason } from "../fs/index.js";
import { type JsonObject, JsonReader, parseJsonObject } from "./json.js";
import { ConfigError } from "./config-error.js";
import { readConfigFile } from "./read-file.js";

/** Credentials of one registry in `auths`. A field that is absent or empty in the file is absent here. */
export interface AuthEntry {
  username?: string;
  password?: string;
  /** Refresh token, to be exchanged for an access token at the token server. */
  identityToken?: string;
  /** Bearer token, sent to the registry as it is. */
  registryToken?: string;
}

/** Proxies of one daemon, or of all (`default`), that builds get as build args. */
export interface ProxyConfig {
  httpProxy?: string;
  httpsProxy?: string;
  noProxy?: string;
  ftpProxy?: string;
  allProxy?: string;
}

/** What Docker's `config.json` says, as far as building needs it (docker/cli configfile). */
export interface DockerConfig {
  /** The configuration directory; contexts and token seeds are there too. */
  dir: string;
  /** The file read, whether it exists or not. */
  path: string;
  /** By registry: a host, or a URL in old files and for Docker Hub (`https://index.docker.io/v1/`). */
  auths: Map<string, AuthEntry>;
  /** Suffix of the credential helper for all registries. */
  credsStore?: string;
  /** Suffix of the credential helper by registry; empty where the registry has none, whatever the others have. */
  credHelpers: Map<string, string>;
  /** By daemon host, and `default`. */
  proxies: Map<string, ProxyConfig>;
  currentContext?: string;
  pruneFilters: string[];
  /** The whole parsed file. */
  raw: unknown;
  /** What is wrong in the file and was left out, a sentence each: what does not need it goes on. */
  problems: string[];
}

/**
 * Reads `config.json` of Docker's configuration directory. A missing or empty file is an empty configuration. An entry that cannot
 * be used is left out and told of, and so is a file that cannot be read: neither must keep builds from working that do not need it
 * (docker/cli LoadDefaultConfigFile).
 *
 * @throws AbortedError; with `strict` ConfigError that names the path, and quotes nothing of the content.
 */
export async function loadDockerConfig(
  env: Environment,
  options: {
    dir?: string;
    /** A file that cannot be read is an error. */
    strict?: boolean;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<DockerConfig> {
  const dir = options.dir ?? dockerConfigDir(env);
  const path = join(dir, "config.json");
  const problems: string[] = [];
  const raw = await readDockerConfig(dir, path, problems, options);
  /** What `read` gives; nothing, and a problem, when it cannot. */
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push(`ignoring a part of ${messageOf(error)}`);
      return undefined;
    }
  };
  const root = new JsonReader(path, raw);
  const mapOf = <T>(name: string, read: (reader: JsonReader, key: string) => T | undefined) => {
    const table = attempt(() => root.object(name));
    return table ? readMap(table, (reader, key) => attempt(() => read(reader, key))) : new Map<string, T>();
  };
  const credsStore = attempt(() => root.text("credsStore"));
  const currentContext = attempt(() => root.text("currentContext"));
  return {
    dir,
    path,
    auths: mapOf("auths", readAuth),
    ...(credsStore !== undefined && { credsStore }),
    credHelpers: mapOf("credHelpers", (reader, name) => reader.rawText(name)),
    proxies: mapOf("proxies", readProxies),
    ...(currentContext !== undefined && { currentContext }),
    pruneFilters: attempt(() => root.texts("pruneFilters")) ?? [],
    raw,
    problems,
  };
}

/** The parsed file; an empty object, and a problem, where it cannot be used. */
async function readDockerConfig(
  dir: string,
  path: string,
  problems: string[],
  { strict, signal }: { strict?: boolean; signal?: AbortSignal | undefined },
): Promise<JsonObject> {
  try {
    // Password managers offer it as a named pipe: waited for, where the waiting can be ended.
    const content = await readConfigFile(path, { special: signal ? "read" : "refuse", signal });
    // Used all the same: scripts of CI services make the directory so, and docker takes it.
    const shared = content === undefined ? undefined : sharedReason(dir);
    if (shared !== undefined)
      problems.push(`${path} may be somebody else's work, since ${shared}: chmod go-w ${dir}`);
    return parseJsonObject(path, content ?? Buffer.alloc(0), () =>
      problems.push(`ignoring what stands behind the object in ${path}`),
    );
  } catch (error) {
    if (strict || !(error instanceof ConfigError)) throw error;
    problems.push(`ignoring docker's configuration: ${messageOf(error)}`);
    return {};
  }
}

/**
 * Credentials in `DOCKER_AUTH_CONFIG`: `{"auths":{host:{"auth":base64}}}` and nothing else. Undefined when unset.
 *
 * @throws ConfigError with the variable's name as path.
 */
export function parseAuthEnvironment(env: Environment): Map<string, AuthEntry> | undefined {
  const name = "DOCKER_AUTH_CONFIG";
  const text = env[name];
  if (!text) return undefined;
  const root = new JsonReader(name, parseJsonObject(name, Buffer.from(text)));
  refuseOtherFields(root, "auths");
  return readMap(root.object("auths"), (auths, host) => {
    const entry = auths.object(host);
    refuseOtherFields(entry, "auth");
    if (entry.text("auth") === undefined) throw auths.problem(host, "is missing key `auth`");
    return readAuth(auths, host);
  });
}

function refuseOtherFields(reader: JsonReader, allowed: string): void {
  const other = reader.names().find((name) => name.toLowerCase() !== allowed);
  if (other !== undefined) throw reader.problem(other, "is not a known field");
}

function readMap<T>(
  reader: JsonReader,
  read: (reader: JsonReader, name: string) => T | undefined,
): Map<string, T> {
  const map = new Map<string, T>();
  for (const name of reader.names()) {
    const value = read(reader, name);
    if (value !== undefined) map.set(name, value);
  }
  return map;
}

function readAuth(auths: JsonReader, host: string): AuthEntry {
  const entry = auths.object(host);
  const auth = entry.text("auth");
  const pair = auth === undefined ? undefined : decodeAuth(auth);
  if (auth !== undefined && pair === undefined) throw entry.problem("auth", "is not base64 of user:password");
  const username = pair ? pair[0] : entry.text("username");
  const password = pair ? pair[1] : entry.text("password");
  const identityToken = entry.text("identitytoken");
  const registryToken = entry.text("registrytoken");
  return {
    ...(username && { username }),
    ...(password && { password }),
    ...(identityToken !== undefined && { identityToken }),
    ...(registryToken !== undefined && { registryToken }),
  };
}

/** `user:password` in base64; Docker's own older files end the password in NULs (configfile `decodeAuth`). */
function decodeAuth(auth: string): [string, string] | undefined {
  if (!/^[A-Za-z0-9+/\r\n]+(?:={1,2}[\r\n]*)?$/.test(auth)) return undefined;
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 1 ? undefined : [text.slice(0, colon), trimBoth(text.slice(colon + 1), "\0")];
}

function readProxies(proxies: JsonReader, host: string): ProxyConfig {
  const entry = proxies.object(host);
  const result: ProxyConfig = {};
  for (const name of ["httpProxy", "httpsProxy", "noProxy", "ftpProxy", "allProxy"] as const) {
    const value = entry.text(name);
    if (value !== undefined) result[name] = value;
  }
  return result;
}
