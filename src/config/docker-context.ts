import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InvalidArgumentError } from "../core/index.js";
import { ConfigError, invalidConfig } from "./config-error.js";
import type { DockerConfig } from "./docker-config.js";
import { isSocketHost, parseDockerHost } from "./docker-host.js";
import type { Environment } from "./environment.js";
import { JsonReader, parseJsonObject, textOf } from "./json.js";
import { readConfigFile } from "./read-file.js";
import { type TlsPem, checkTlsPem } from "./tls-pem.js";

/** How to reach a Docker daemon, and the context that says so. */
export interface DockerEndpoint {
  /** `default` when the address comes from `DOCKER_HOST` or is the platform's own. */
  contextName: string;
  /** `unix://…`, `tcp://…`, `ssh://…`, `npipe://…`, `fd://…` */
  host: string;
  /** PEM texts. Present exactly when the connection must be TLS (may be empty then); never for local sockets. */
  tls?: { ca?: string; cert?: string; key?: string };
  /** The context asks not to verify the daemon's certificate. */
  skipTlsVerify: boolean;
}

/** Format of a context's name (docker/cli cli/context/store). */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/;

/**
 * Name of the context in force: the given one, else `default` when `DOCKER_HOST` is set, else `DOCKER_CONTEXT`, else
 * the configuration's current one, else `default` (docker/cli `resolveContextName`). It may not exist.
 */
export function currentContextName(
  env: Environment,
  config: DockerConfig,
  options: { context?: string } = {},
): string {
  if (options.context) return options.context;
  if (env["DOCKER_HOST"]) return "default";
  return env["DOCKER_CONTEXT"] || config.currentContext || "default";
}

/**
 * The daemon of a context, the one in force unless named.
 *
 * @throws ConfigError `CONTEXT_NOT_FOUND`, or what is wrong with its files, naming the path.
 */
export async function resolveDockerEndpoint(
  env: Environment,
  config: DockerConfig,
  options: { context?: string } = {},
): Promise<DockerEndpoint> {
  const name = currentContextName(env, config, options);
  if (name === "default") return await defaultEndpoint(env, config);
  if (!namePattern.test(name)) {
    throw new InvalidArgumentError(
      `context name ${JSON.stringify(name)} is invalid, names are validated against regexp "${namePattern.source}"`,
    );
  }
  const path = join(config.dir, "contexts", "meta", idOf(name), "meta.json");
  const content = await readConfigFile(path);
  if (content === undefined) {
    throw new ConfigError("CONTEXT_NOT_FOUND", path, `context "${name}": context not found: ${path}`);
  }
  return await readEndpoint(config, path, content);
}

/**
 * The daemons of all contexts: `default` first, then by name. A context with broken files is left out and told to
 * `onProblem`, so that one broken file does not hide the others.
 */
export async function listDockerContexts(
  env: Environment,
  config: DockerConfig,
  options: { onProblem?: (error: Error) => void } = {},
): Promise<DockerEndpoint[]> {
  const endpoints: DockerEndpoint[] = [];
  const collect = async (read: () => Promise<DockerEndpoint | undefined>) => {
    try {
      const endpoint = await read();
      if (endpoint) endpoints.push(endpoint);
    } catch (error) {
      options.onProblem?.(error as Error);
    }
  };
  const dir = join(config.dir, "contexts", "meta");
  for (const id of await readdir(dir).catch(() => [])) {
    await collect(async () => {
      const path = join(dir, id, "meta.json");
      const content = await readConfigFile(path);
      return content && (await readEndpoint(config, path, content));
    });
  }
  endpoints.sort((a, b) => (a.contextName < b.contextName ? -1 : 1));
  const named = endpoints.splice(0);
  await collect(() => defaultEndpoint(env, config));
  return [...endpoints, ...named];
}

/** Directory name of a context: hex SHA-256 of its name. */
function idOf(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

async function readEndpoint(config: DockerConfig, path: string, content: Buffer): Promise<DockerEndpoint> {
  const meta = new JsonReader(path, parseJsonObject(path, content));
  const contextName = meta.text("Name");
  if (contextName === undefined) throw meta.problem("Name", "is missing");
  const docker = meta.object("Endpoints").object("docker");
  const host = docker.text("Host");
  if (host === undefined) throw invalidConfig(path, "cannot find docker endpoint in context");
  const skipTlsVerify = docker.boolean("SkipTLSVerify") ?? false;
  if (isSocketHost(host)) return { contextName, host, skipTlsVerify };
  const tls = await readTls(join(config.dir, "contexts", "tls", idOf(contextName), "docker"));
  const needed = skipTlsVerify || Object.keys(tls).length > 0;
  return { contextName, host, ...(needed && { tls }), skipTlsVerify };
}

/** `DOCKER_HOST` or the platform's socket; TLS as `DOCKER_TLS`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` say. */
async function defaultEndpoint(env: Environment, config: DockerConfig): Promise<DockerEndpoint> {
  const verify = Boolean(env["DOCKER_TLS_VERIFY"]);
  const useTls = verify || Boolean(env["DOCKER_TLS"]);
  const host = parseDockerHost(env["DOCKER_HOST"] ?? "", { tls: useTls });
  if (!useTls || isSocketHost(host)) return { contextName: "default", host, skipTlsVerify: false };
  const dir = env["DOCKER_CERT_PATH"] || config.dir;
  const tls = await readTls(dir);
  if (verify && tls.ca === undefined) {
    const path = join(dir, "ca.pem");
    throw new ConfigError(
      "CONFIG_UNREADABLE",
      path,
      `cannot read ${path}: no such file, but DOCKER_TLS_VERIFY is set`,
    );
  }
  return { contextName: "default", host, tls, skipTlsVerify: !verify };
}

async function readTls(dir: string): Promise<NonNullable<DockerEndpoint["tls"]>> {
  const tls: TlsPem = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const content = await readConfigFile(join(dir, `${name}.pem`));
    if (content) tls[name] = textOf(content);
  }
  return checkTlsPem(tls, (name, why, cause) => invalidConfig(join(dir, `${name}.pem`), why, cause));
}
