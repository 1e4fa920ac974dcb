import type { DockerConfig } from "./docker-config.js";

/**
 * The proxies that builds on the daemon `host` get as build args, by name: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`,
 * `FTP_PROXY`, as far as configured; those of `default` when the host has no entry. `allProxy` is not passed on
 * (buildx store/storeutil `GetProxyConfig`).
 */
export function proxyBuildArgs(config: DockerConfig, host: string): Map<string, string> {
  const proxies = config.proxies.get(host) ?? config.proxies.get("default") ?? {};
  const args = new Map<string, string>();
  if (proxies.httpProxy) args.set("HTTP_PROXY", proxies.httpProxy);
  if (proxies.httpsProxy) args.set("HTTPS_PROXY", proxies.httpsProxy);
  if (proxies.noProxy) args.set("NO_PROXY", proxies.noProxy);
  if (proxies.ftpProxy) args.set("FTP_PROXY", proxies.ftpProxy);
  return args;
}
