import type { RegistrySettings } from "../config/index.js";
import { isLoopbackHost, registryHost } from "./hub.js";

/** One place that serves a repository: its registry, or a mirror of it. */
export interface Endpoint {
  readonly host: string;
  /** Changed to `http:` when the host turns out not to speak TLS and may do without (see `mayFallBack`). */
  protocol: "https:" | "http:";
  /** Try plain HTTP when TLS fails: the host is marked insecure and plain (buildkit util/resolver `httpFallback`). */
  readonly mayFallBack: boolean;
  /** Path of the API, `/v2` and what a mirror has behind it. */
  readonly base: string;
  /** The registry that a mirror stands for, sent as `ns`; undefined for the registry itself. */
  readonly mirrorOf?: string;
}

/**
 * Where a registry is served: its mirrors in their order (for reading only), then itself (buildkit util/resolver
 * `NewRegistryConfig`).
 */
export function endpointsOf(
  domain: string,
  settings: ReadonlyMap<string, RegistrySettings>,
  use: "pull" | "push",
): Endpoint[] {
  const own = settings.get(domain);
  const mirrors = use === "pull" ? (own?.mirrors ?? []) : [];
  return [
    ...mirrors.map((mirror) => {
      const [host = "", ...path] = mirror.replace(/^https?:\/\//, "").split("/");
      const segments = path.filter((segment) => segment !== "");
      return {
        host,
        ...protocolOf(host, settings.get(host)),
        base: ["/v2", ...segments].join("/"),
        mirrorOf: domain,
      };
    }),
    { host: registryHost(domain), ...protocolOf(domain, own), base: "/v2" },
  ];
}

function protocolOf(
  host: string,
  settings: RegistrySettings | undefined,
): Pick<Endpoint, "protocol" | "mayFallBack"> {
  const plain = settings?.http ?? isLoopbackHost(host);
  // Insecure means any certificate, so TLS goes first even where plain HTTP would do.
  if (settings?.insecure) return { protocol: "https:", mayFallBack: plain };
  return { protocol: plain ? "http:" : "https:", mayFallBack: false };
}
