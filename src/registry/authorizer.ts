import { parseChallenges } from "./challenge.js";
import { type CredentialProvider, secretOf } from "./credentials.js";
import type { AskedCredentials, RegistryHttp } from "./registry-http.js";
import { mergeScopes } from "./scopes.js";
import { fetchToken } from "./token.js";

/** How an endpoint wants to be asked, as its first challenge said. */
type Scheme = { type: "basic" } | { type: "bearer"; realm: string; service: string };

interface CachedToken {
  authorization: string;
  /** ms of the clock. */
  expires: number;
}

/** Authorises requests to one endpoint: learns its scheme from challenges, keeps tokens by scope until they expire. */
export class Authorizer {
  readonly #host: string;
  readonly #http: RegistryHttp;
  readonly #credentials: CredentialProvider;
  readonly #tokens = new Map<string, Promise<CachedToken>>();
  #scheme: Scheme | undefined;
  #isFound = false;

  constructor(host: string, http: RegistryHttp, credentials: CredentialProvider) {
    this.#host = host;
    this.#http = http;
    this.#credentials = credentials;
  }

  /** What was found when credentials were last looked for. */
  get credentials(): AskedCredentials {
    return { found: this.#isFound, source: this.#credentials.source };
  }

  /** The `Authorization` value for requests of these scopes; undefined before the endpoint has asked for one. */
  async authorization(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (!scheme) return undefined;
    if (scheme.type === "basic") return await this.#basic(signal);
    const wanted = mergeScopes(scopes);
    const key = wanted.join(" ");
    const cached = await this.#tokens.get(key)?.catch(() => undefined);
    if (cached && Date.now() < cached.expires) return cached.authorization;
    const fetching = this.#bearer(scheme, wanted, signal);
    this.#tokens.set(key, fetching);
    fetching.catch(() => this.#tokens.delete(key));
    return (await fetching).authorization;
  }

  /**
   * Takes the challenge of a 401. When the endpoint named a scheme that can be had, the request is worth a second try,
   * with authorisation for the scopes returned; undefined otherwise.
   */
  challenge(values: readonly string[], scopes: readonly string[]): { scopes: string[] } | undefined {
    const challenges = parseChallenges(values);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer")?.parameters;
    const realm = bearer?.get("realm");
    if (bearer && realm !== undefined) {
      this.#scheme = { type: "bearer", realm, service: bearer.get("service") ?? "" };
      const wanted = mergeScopes([...scopes, bearer.get("scope") ?? ""]);
      // What was refused is not to be tried again.
      this.#tokens.delete(mergeScopes(scopes).join(" "));
      this.#tokens.delete(wanted.join(" "));
      return { scopes: wanted };
    }
    if (!challenges.some(({ scheme }) => scheme === "basic")) return undefined;
    this.#scheme = { type: "basic" };
    return { scopes: [...scopes] };
  }

  async #basic(signal: AbortSignal | undefined): Promise<string | undefined> {
    const found = await this.#credentials({ host: this.#host, scopes: [], signal });
    const { username, secret } = secretOf(found);
    this.#isFound = secret !== "";
    if (!username || !secret) return undefined;
    return `Basic ${Buffer.from(`${username}:${secret}`).toString("base64")}`;
  }

  async #bearer(
    { realm, service }: Scheme & { type: "bearer" },
    scopes: string[],
    signal: AbortSignal | undefined,
  ): Promise<CachedToken> {
    const credentials = await this.#credentials({ host: this.#host, scopes, signal });
    this.#isFound = secretOf(credentials).secret !== "" || credentials?.registryToken !== undefined;
    const { source } = this.#credentials;
    const request = { host: this.#host, realm, service, scopes, credentials, source };
    const { token, expiresIn } = await fetchToken(this.#http, request, signal);
    // A token is not used to its last second: the request has yet to arrive.
    return { authorization: `Bearer ${token}`, expires: Date.now() + expiresIn * 900 };
  }
}
