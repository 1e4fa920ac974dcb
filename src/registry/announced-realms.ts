import { untilAborted, withDeadline } from "../core/index.js";
import { parseChallenges } from "./challenge.js";
import { isLoopbackHost } from "./hub.js";
import { RegistryError } from "./registry-error.js";
import type { RegistryHttp } from "./registry-http.js";

/** A token server as somebody names it: the parameters of a `WWW-Authenticate: Bearer` challenge. */
export interface TokenServer {
  realm: string;
  service: string;
}

/** Limit of all that is asked for one host, ms. */
const totalMilliseconds = 15_000;
const maxRedirects = 3;
/** Hosts without an answer, after which no further one is asked: nobody is to learn by us who is there. */
const mostUnanswered = 16;

/** What these registries answer, so that they need not be asked: seen by hand, the same for years. */
const wellKnown = new Map<string, TokenServer>([
  ["registry-1.docker.io", { realm: "https://auth.docker.io/token", service: "registry.docker.io" }],
  ["ghcr.io", { realm: "https://ghcr.io/token", service: "ghcr.io" }],
  ["quay.io", { realm: "https://quay.io/v2/auth", service: "quay.io" }],
  ["gcr.io", { realm: "https://gcr.io/v2/token", service: "gcr.io" }],
  ["public.ecr.aws", { realm: "https://public.ecr.aws/token/", service: "public.ecr.aws" }],
  ["registry.gitlab.com", { realm: "https://gitlab.com/jwt/auth", service: "container_registry" }],
]);

/**
 * Which token servers registries announce themselves. Somebody who is not trusted, such as a builder, may say which one
 * a host has; what is asked is the one that the host names when it is asked by us, without credentials (SEC-69).
 */
export class AnnouncedRealms {
  readonly #http: RegistryHttp;
  readonly #answers = new Map<string, Promise<TokenServer[]>>();
  #unanswered = 0;

  constructor(http: RegistryHttp) {
    this.#http = http;
  }

  /**
   * Whether the host announces this token server: for its API as a whole, or for the repository of one of the scopes
   * (some have a token server for each). A host and repository is asked once.
   */
  async confirms(
    host: string,
    claimed: TokenServer,
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<boolean> {
    const known = wellKnown.get(host);
    if (known && isSame(known, claimed)) return true;
    for (const path of ["", ...repositoriesOf(scopes).map((name) => `${name}/manifests/latest`)]) {
      const announced = await this.#ask(host, path, signal);
      if (announced.some((server) => isSame(server, claimed))) return true;
      if (this.#unanswered > mostUnanswered) return false;
    }
    return false;
  }

  #ask(host: string, path: string, signal: AbortSignal | undefined): Promise<TokenServer[]> {
    const key = `${host}/${path}`;
    let answer = this.#answers.get(key);
    if (!answer) {
      if (this.#unanswered > mostUnanswered) return Promise.resolve([]);
      // Shared by all who ask meanwhile: not to end with the first one's signal.
      answer = this.#fetch(host, path);
      this.#answers.set(key, answer);
    }
    return signal ? untilAborted(signal, answer) : answer;
  }

  async #fetch(host: string, path: string): Promise<TokenServer[]> {
    for (const protocol of this.#protocolsOf(host)) {
      const start = `${protocol}//${host}/v2/${path}`;
      if (!URL.canParse(start) || new URL(start).pathname !== `/v2/${path}`) continue;
      try {
        return await withDeadline(undefined, totalMilliseconds, `the answer of ${host}`, (signal) =>
          this.#challenge(host, new URL(start), signal),
        );
      } catch {
        // Why is nobody's business but the next protocol's.
      }
    }
    this.#unanswered++;
    return [];
  }

  async #challenge(host: string, start: URL, signal: AbortSignal): Promise<TokenServer[]> {
    let url = start;
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const response = await this.#http.request({ method: "GET", url, host, once: true, near: true, signal });
      await response.body.dump();
      const { location, "www-authenticate": challenges = [] } = response.headers;
      if (response.statusCode === 401) {
        return parseChallenges([challenges].flat()).flatMap(({ scheme, parameters }) => {
          const realm = scheme === "bearer" ? parameters.get("realm") : undefined;
          return realm === undefined ? [] : [{ realm, service: parameters.get("service") ?? "" }];
        });
      }
      const isRedirect = response.statusCode >= 300 && response.statusCode < 400;
      if (!isRedirect || typeof location !== "string" || !URL.canParse(location, url.href)) return [];
      const next = new URL(location, url.href);
      // Never from TLS to none.
      if (next.protocol !== "https:" && next.protocol !== url.protocol) return [];
      url = next;
    }
    throw new RegistryError("REGISTRY_PROTOCOL", `${host} redirects too often`, { host });
  }

  /** Plain HTTP where the user has said so, and on this machine. */
  #protocolsOf(host: string): readonly ("https:" | "http:")[] {
    const { http, insecure = false } = this.#http.settingsOf(host);
    const isPlain = http ?? isLoopbackHost(host);
    if (!isPlain) return ["https:"];
    return insecure ? ["https:", "http:"] : ["http:", "https:"];
  }
}

function isSame(a: TokenServer, b: TokenServer): boolean {
  const [one, other] = [a.realm, b.realm].map((realm) =>
    URL.canParse(realm) ? new URL(realm).href : undefined,
  );
  return one !== undefined && one === other && a.service === b.service;
}

/** Repositories that scopes are for, at most four: `repository:team/app:pull,push` (distribution token scope). */
function repositoriesOf(scopes: readonly string[]): string[] {
  const names = scopes.map((scope) => /^repository:([a-z0-9][a-z0-9._/-]{0,254}):/.exec(scope)?.[1] ?? "");
  return [...new Set(names)].filter((name) => name !== "" && !/(^|\/)\.*(\/|$)/.test(name)).slice(0, 4);
}
