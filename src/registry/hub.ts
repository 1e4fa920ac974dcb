/** Key of Docker Hub's credentials in `config.json` and in credential helpers (docker/cli `authConfigKey`). */
export const hubCredentialsKey = "https://index.docker.io/v1/";

/** Where Docker Hub's registry answers. */
export const hubRegistryHost = "registry-1.docker.io";

const hubHosts = new Set(["docker.io", "index.docker.io", hubRegistryHost]);

/** True for every host name that stands for Docker Hub. */
export function isHubHost(host: string): boolean {
  return hubHosts.has(host) || host === hubCredentialsKey;
}

/** The host that serves the registry of a reference's domain. */
export function registryHost(domain: string): string {
  return isHubHost(domain) ? hubRegistryHost : domain;
}

/** The key under which the credentials for a registry host are stored. */
export function credentialsKey(host: string): string {
  return isHubHost(host) ? hubCredentialsKey : host;
}

/** The host name as people know it: `docker.io` for Docker Hub. */
export function familiarHost(host: string): string {
  return isHubHost(host) ? "docker.io" : host;
}

/** True for `localhost` and loopback addresses, with or without a port. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^(\[.*\]|[^:]*):\d+$/, "$1").replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/** The host in a registry's name, which may be a URL as old files have it (docker/cli `ConvertToHostname`). */
export function serverName(text: string): string {
  return text.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*$/s, "");
}
