import { STATUS_CODES } from "node:http";
import { isSlipwayError, sleep } from "../core/index.js";
import { Authorizer } from "./authorizer.js";
import type { CredentialProvider } from "./credentials.js";
import type { Endpoint } from "./endpoint.js";
import { RegistryError } from "./registry-error.js";
import type { HttpRequest, HttpResponse, RegistryHttp } from "./registry-http.js";
import { readRefusal } from "./response-body.js";
import { isPassing, maxRetries, retryDelay } from "./retry.js";
import { unauthorizedReason } from "./unauthorized.js";

/** One request to an endpoint. */
export interface RegistryRequest {
  method: HttpRequest["method"];
  /** Below the endpoint's API, e.g. `library/alpine/manifests/latest`; or an absolute URL that the registry gave. */
  path: string | URL;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** Makes the body; called again for a second try. */
  body?: () => Buffer | AsyncIterable<Buffer>;
  scopes: readonly string[];
  signal?: AbortSignal | undefined;
}

const maxRedirects = 5;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/**
 * Requests to registry endpoints with everything that every request needs: authorisation after a challenge, redirects
 * of reads to where the content is (without the authorisation when that is elsewhere), repetition of what a busy
 * registry turned away, plain HTTP where that is allowed.
 */
export class Exchange {
  readonly #http: RegistryHttp;
  readonly #credentials: CredentialProvider;
  readonly #authorizers = new Map<string, Authorizer>();

  constructor(http: RegistryHttp, credentials: CredentialProvider) {
    this.#http = http;
    this.#credentials = credentials;
  }

  /**
   * Any status but a redirect is an answer, also 401 when authorisation could not be had. The body must be read or
   * dumped.
   *
   * @throws RegistryError `REGISTRY_CONNECT`, `REGISTRY_PROTOCOL`, or what fetching a token threw.
   */
  async send(endpoint: Endpoint, request: RegistryRequest): Promise<HttpResponse> {
    for (let attempt = 0; ; attempt++) {
      const response = await this.#authorized(endpoint, request);
      if (!isPassing(response.statusCode) || attempt >= maxRetries) return response;
      await response.body.dump();
      await sleep(retryDelay(response.headers, attempt), request.signal);
    }
  }

  async #authorized(endpoint: Endpoint, request: RegistryRequest): Promise<HttpResponse> {
    const { signal } = request;
    const url = urlOf(endpoint, request);
    // An upload that the registry moved to another host is authorised by its URL.
    if (url.host !== hostOf(endpoint)) return await this.#follow(endpoint, url, request, undefined);
    const authorizer = this.#authorizerOf(endpoint);
    const first = await authorizer.authorization(request.scopes, signal);
    const response = await this.#follow(endpoint, url, request, first);
    if (response.statusCode !== 401) return response;
    const asked = authorizer.challenge(listOf(response.headers["www-authenticate"]), request.scopes);
    const second = asked && (await authorizer.authorization(asked.scopes, signal));
    const { credentials } = authorizer;
    if (second === undefined) return { ...response, credentials };
    await response.body.dump();
    // The endpoint may have fallen back to plain HTTP meanwhile.
    return { ...(await this.#follow(endpoint, urlOf(endpoint, request), request, second)), credentials };
  }

  async #follow(
    endpoint: Endpoint,
    start: URL,
    request: RegistryRequest,
    authorization: string | undefined,
  ): Promise<HttpResponse> {
    let url = start;
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const headers = { ...request.headers };
      if (authorization !== undefined && url.origin === start.origin)
        headers["authorization"] = authorization;
      const response = await this.#send(endpoint, url, request, headers);
      const isRead = request.method === "GET" || request.method === "HEAD";
      if (!isRead || !redirectStatuses.has(response.statusCode)) return response;
      await response.body.dump();
      url = this.resolveLocation(endpoint, url, response);
    }
    throw new RegistryError("REGISTRY_PROTOCOL", `${start.href} redirects too often`, {
      host: endpoint.host,
    });
  }

  /**
   * The URL of an answer's `Location`.
   *
   * @throws RegistryError when there is none, or when it would leave TLS behind on a host that is not marked insecure.
   */
  resolveLocation(endpoint: Endpoint, from: URL, response: HttpResponse): URL {
    const { host } = endpoint;
    const location = listOf(response.headers["location"])[0];
    const url =
      location !== undefined && URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) {
      throw new RegistryError("REGISTRY_PROTOCOL", `${host} gave no usable location`, { host });
    }
    const isDowngrade = from.protocol === "https:" && url.protocol === "http:";
    if (isDowngrade && !this.#http.settingsOf(host).insecure) {
      throw new RegistryError("REGISTRY_PROTOCOL", `${host} redirects to ${url.origin}, which is not https`, {
        host,
      });
    }
    return url;
  }

  async #send(
    endpoint: Endpoint,
    url: URL,
    { method, body, signal }: RegistryRequest,
    headers: Record<string, string>,
  ): Promise<HttpResponse> {
    const request = (url: URL) =>
      this.#http.request({
        method,
        url,
        // Content on another host is fetched with the system's trust, unless the registry needs none.
        host: endpoint.host,
        headers,
        ...(body && { body: body() }),
        signal,
      });
    try {
      return await request(url);
    } catch (error) {
      const isOwn = url.host === hostOf(endpoint) && url.protocol === "https:";
      if (!endpoint.mayFallBack || !isOwn || !isSlipwayError(error, "REGISTRY_CONNECT")) throw error;
      endpoint.protocol = "http:";
      const plain = new URL(url);
      plain.protocol = "http:";
      return await request(plain);
    }
  }

  #authorizerOf({ host }: Endpoint): Authorizer {
    let authorizer = this.#authorizers.get(host);
    if (!authorizer) {
      authorizer = new Authorizer(host, this.#http, this.#credentials);
      this.#authorizers.set(host, authorizer);
    }
    return authorizer;
  }
}

/** The error that an answer other than the expected stands for; reads the body. `what` is what was wanted. */
export async function refusal(
  endpoint: Endpoint,
  response: HttpResponse,
  what: string,
): Promise<RegistryError> {
  const status = response.statusCode;
  const detail = await readRefusal(response);
  const text = `${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
  const why = status === 401 || status === 403 ? unauthorizedReason(endpoint.host, response.credentials) : "";
  const message = `${what}: unexpected status from ${endpoint.host}: ${text}${detail && `: ${detail}`}${why && `; ${why}`}`;
  const options = { host: endpoint.host, status };
  if (status === 404) return new RegistryError("REGISTRY_NOT_FOUND", `${what}: not found`, options);
  if (status === 401 || status === 403) return new RegistryError("REGISTRY_UNAUTHORIZED", message, options);
  return new RegistryError("REGISTRY_STATUS", message, options);
}

/** The values of a header, however often it came. */
export function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** The endpoint's host as URLs have it, without the scheme's own port: `host:443` is what the user wrote. */
function hostOf({ protocol, host }: Endpoint): string {
  return URL.canParse(`${protocol}//${host}`) ? new URL(`${protocol}//${host}`).host : host;
}

function urlOf(endpoint: Endpoint, { path, query = {} }: RegistryRequest): URL {
  const url = typeof path === "string" ? apiUrl(endpoint, path) : new URL(path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (endpoint.mirrorOf !== undefined && typeof path === "string")
    url.searchParams.set("ns", endpoint.mirrorOf);
  return url;
}

function apiUrl({ protocol, host, base }: Endpoint, path: string): URL {
  // References are parsed before they come here; this keeps a hand-made one from being another request (SEC-23).
  if (!/^[\w.:@+/-]*$/.test(path) || /(^|\/)\.\.?(\/|$)/.test(path) || !/^[\w.:[\]-]+$/.test(host)) {
    throw new RegistryError("REGISTRY_PROTOCOL", `invalid registry request for ${JSON.stringify(path)}`, {
      host,
    });
  }
  return new URL(`${protocol}//${host}${base}/${path}`);
}
