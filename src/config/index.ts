export { readAuthorities, withPublicAuthorities } from "./authorities.js";
export {
  buildkitConfigDir,
  buildkitdEntitlements,
  loadBuildkitdConfig,
  parseBuildkitdToml,
} from "./buildkitd-config.js";
export { withCacheLimit } from "./cache-limit.js";
export { type EntitlementContext, withNetworkHostEntitlement } from "./buildkitd-flags.js";
export { type RegistrySettings, readRegistrySettings } from "./buildkitd-registries.js";
export { buildxConfigDir, dockerConfigDir, homeDir } from "./config-dir.js";
export { ConfigError, type ConfigErrorCode } from "./config-error.js";
export { parseCsvFields } from "./csv-fields.js";
export {
  type AuthEntry,
  type DockerConfig,
  type ProxyConfig,
  loadDockerConfig,
  parseAuthEnvironment,
} from "./docker-config.js";
export { editDockerConfig } from "./docker-config-file.js";
export {
  type DockerEndpoint,
  currentContextName,
  listDockerContexts,
  resolveDockerEndpoint,
} from "./docker-context.js";
export { namedPipePath, pipeRefusal } from "./named-pipe.js";
export { parseDockerHost } from "./docker-host.js";
export { type Environment, variableOf } from "./environment.js";
export { githubActionsContext } from "./github-actions.js";
export { parseGoBool } from "./go-bool.js";
export { escapeGoJson, goJson } from "./go-json.js";
export { parseGoDuration } from "./go-duration.js";
export { checkArgumentBytes, variableBytes } from "./raw-environment.js";
export { type JsonObject, JsonReader, isJsonObject, parseJsonObject, textOf } from "./json.js";
export { proxyBuildArgs } from "./proxies.js";
export { splitShellWords } from "./shell-words.js";
export { parseSize } from "./size.js";
export { desktopUrl, hasDesktop } from "./docker-desktop.js";
export { type TlsPem, checkTlsPem } from "./tls-pem.js";
