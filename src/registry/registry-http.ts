import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import type { Dispatcher } from "undici";
import type { Environment } from "../config/index.js";
import { abortError, isError, messageOf, sleep } from "../core/index.js";
import { type Resolve, guardedLookup, mayServe, resolveAddresses } from "./network-place.js";
import { proxyAuthorization, proxyFor } from "./proxy.js";
import { tunnelConnector } from "./proxy-tunnel.js";
import { isReset } from "./retry.js";
import { RegistryError } from "./registry-error.js";
import { systemCertificates } from "./system-ca.js";

/** How to speak TLS with one registry and its token server. */
export interface HostTls {
  /** PEM texts, trusted on top of the system's. */
  ca?: readonly string[];
  keyPairs?: readonly { key: string; cert: string }[];
  /** Do not verify certificates, and let credentials pass over plain HTTP. */
  insecure?: boolean;
  /** The registry speaks plain HTTP. */
  http?: boolean;
}

/** Options of {@link RegistryHttp}. */
export interface RegistryHttpOptions {
  /** For proxies and certificates. */
  env: Environment;
  /** TLS settings by registry host. */
  hosts?: ReadonlyMap<string, HostTls> | undefined;
  /** Limit for getting a connection, ms. Default 10 s. */
  connectMilliseconds?: number;
  /** Finds where a registry is, for {@link HttpRequest.near}. Default: the system. */
  resolve?: Resolve;
}

/** One request. Redirects are never followed, and nothing is kept between requests but connections. */
export interface HttpRequest {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: URL;
  /** The registry whose TLS settings hold, also when the URL is its token server's. */
  host: string;
  headers?: Record<string, string>;
  /** A stream cannot be sent a second time, so no retry is made with one. */
  body?: string | Buffer | AsyncIterable<Buffer>;
  /** Close the connection after the answer. */
  once?: boolean;
  /**
   * The registry chose the address, so it must lie where the registry's own host is, or where everybody is: nobody
   * outside is to send requests into this machine's networks (SEC-69). Names behind a proxy are the proxy's to judge.
   */
  near?: boolean;
  signal?: AbortSignal | undefined;
}

/** An answer. The body must be read to its end or dumped. */
export type HttpResponse = Pick<Dispatcher.ResponseData, "statusCode" | "headers" | "body"> & {
  /** What is to be known of a 401 or 403: with what it was asked for. */
  credentials?: AskedCredentials;
};

/** With which credentials something was asked for. */
export interface AskedCredentials {
  found: boolean;
  /** Where they were looked for, in words. */
  source?: string | undefined;
}

/** Node and undici errors that mean that no request has reached the server. */
const connectCodes = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/**
 * HTTP to registries and token servers: through the environment's proxies, trusting the system's certificates, each
 * registry with connections and TLS settings of its own (SEC-22). Nothing is loaded before the first request.
 */
export class RegistryHttp implements AsyncDisposable {
  readonly #options: RegistryHttpOptions;
  readonly #dispatchers = new Map<string, Promise<Dispatcher>>();
  #certificates: Promise<string[]> | undefined;
  #closed = false;

  constructor(options: RegistryHttpOptions) {
    this.#options = options;
  }

  /** The settings of a registry host; empty when it has none. */
  settingsOf(host: string): HostTls {
    return this.#options.hosts?.get(host) ?? {};
  }

  /**
   * Sends a request; one retry when no connection could be had, or one broke before its answer (FLT-24). Any status is an
   * answer.
   *
   * @throws RegistryError `REGISTRY_CONNECT`, AbortedError, DeadlineError.
   */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const repeatable =
      request.body === undefined || typeof request.body === "string" || Buffer.isBuffer(request.body);
    try {
      return await this.#send(request);
    } catch (error) {
      if (request.signal?.aborted) throw abortError(request.signal);
      const isWorthwhile = isConnectFailure(error) || (isReset(error) && request.method !== "PATCH");
      if (!repeatable || !isWorthwhile) throw connectError(request, error);
    }
    await sleep(200, request.signal);
    try {
      return await this.#send(request);
    } catch (error) {
      if (request.signal?.aborted) throw abortError(request.signal);
      throw connectError(request, error);
    }
  }

  async #send({ method, url, host, headers, body, once, near, signal }: HttpRequest): Promise<HttpResponse> {
    const isGuarded = near === true && url.hostname !== hostnameOf(host);
    const literal = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (isGuarded && isIP(literal) !== 0) await this.#checkPlace(host, literal, [literal]);
    const dispatcher = await this.#dispatcherFor(url, host, isGuarded);
    const { request } = await import("./undici.js");
    const own = new AbortController();
    // The body fails with the signal's reason, which may be anything; who reads it is to find what a cancelled call throws.
    const onAbort = () => signal && own.abort(abortError(signal));
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const letGo = () => signal?.removeEventListener("abort", onAbort);
    const answer = request.call(dispatcher, {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { "user-agent": "slipway", ...headers },
      ...(body !== undefined && { body: body as Dispatcher.DispatchOptions["body"] & {} }),
      signal: own.signal,
      ...(once && { reset: true }),
    });
    try {
      const response = await answer;
      response.body.once("close", letGo);
      return response;
    } catch (error) {
      letGo();
      throw error;
    }
  }

  /** @throws RegistryError `REGISTRY_REALM` when one of the addresses is none of a server of this registry. */
  async #checkPlace(host: string, name: string, addresses: readonly string[]): Promise<void> {
    if (addresses.every((address) => mayServe([], address))) return;
    const own = await (this.#options.resolve ?? resolveAddresses)(hostnameOf(host));
    if (addresses.every((address) => mayServe(own, address))) return;
    throw new RegistryError(
      "REGISTRY_REALM",
      `${host} names a server inside a network that it is not in itself, which is not asked: ${name}`,
      { host },
    );
  }

  #dispatcherFor(url: URL, host: string, isGuarded: boolean): Promise<Dispatcher> {
    if (this.#closed) throw new RegistryError("REGISTRY_CONNECT", "the registry client is closed", { host });
    const proxy = proxyFor(url, this.#options.env);
    const key = `${url.protocol} ${host} ${proxy?.href ?? ""} ${isGuarded ? "near" : ""}`;
    let dispatcher = this.#dispatchers.get(key);
    if (!dispatcher) {
      dispatcher = this.#open(url.protocol === "https:", host, proxy, isGuarded);
      this.#dispatchers.set(key, dispatcher);
      dispatcher.catch(() => this.#dispatchers.delete(key));
    }
    return dispatcher;
  }

  async #open(
    secure: boolean,
    host: string,
    proxy: URL | undefined,
    isGuarded: boolean,
  ): Promise<Dispatcher> {
    const { Agent, ProxyAgent } = await import("./undici.js");
    const timeout = this.#options.connectMilliseconds ?? 10_000;
    const usesTls = secure || proxy?.protocol === "https:";
    const system = usesTls ? await this.#systemContext() : undefined;
    const tls = secure ? await this.#tlsOf(host, system) : {};
    const proxyTls = system ? { secureContext: system } : {};
    const common = { maxHeaderSize: 64 * 1024, headersTimeout: 300_000, bodyTimeout: 300_000 };
    if (!proxy) {
      const lookup = guardedLookup((addresses) => this.#checkPlace(host, "by its name", addresses));
      return new Agent({ ...common, connect: { timeout, ...tls, ...(isGuarded && { lookup }) } });
    }
    if (secure) {
      return new Agent({ ...common, connect: tunnelConnector({ proxy, proxyTls, serverTls: tls, timeout }) });
    }
    // Plain http goes to a proxy with the whole URL as its target.
    const authorization = proxyAuthorization(proxy);
    return new ProxyAgent({
      ...common,
      uri: proxy.origin,
      ...(authorization !== undefined && { token: authorization }),
      proxyTunnel: false,
      proxyTls: { timeout, ...proxyTls },
    });
  }

  async #systemContext() {
    this.#certificates ??= systemCertificates(this.#options.env);
    return createSecureContext({ ca: await this.#certificates, minVersion: "TLSv1.2" });
  }

  async #tlsOf(host: string, system: ReturnType<typeof createSecureContext> | undefined) {
    const { ca = [], keyPairs = [], insecure = false } = this.settingsOf(host);
    if (ca.length === 0 && keyPairs.length === 0) {
      return { ...(system && { secureContext: system }), rejectUnauthorized: !insecure };
    }
    const secureContext = createSecureContext({
      ca: [...((await this.#certificates) ?? []), ...ca],
      key: keyPairs.map((pair) => pair.key),
      cert: keyPairs.map((pair) => pair.cert),
      minVersion: "TLSv1.2",
    });
    return { secureContext, rejectUnauthorized: !insecure };
  }

  /** Drops all connections; requests under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    const dispatchers = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    for (const dispatcher of await Promise.allSettled(dispatchers)) {
      if (dispatcher.status === "fulfilled") await dispatcher.value.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function hostnameOf(host: string): string {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : host;
}

function isConnectFailure(error: unknown): boolean {
  for (let at: unknown = error; isError(at); at = at.cause) {
    if (connectCodes.has((at as NodeJS.ErrnoException).code ?? "")) return true;
    // Several addresses were tried.
    if (errorsOf(at).some(isConnectFailure)) return true;
  }
  return false;
}

/** OpenSSL's words for a certificate of somebody who is not trusted (Node, tls.TLSSocket authorizationError). */
const unknownAuthority = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Those of an AggregateError, which may be of another realm. */
function errorsOf(error: unknown): readonly unknown[] {
  const errors = (error as { errors?: unknown } | undefined)?.errors;
  return Array.isArray(errors) ? errors : [];
}

function connectError(request: HttpRequest, error: unknown): Error {
  if (error instanceof RegistryError) return error;
  const detail: unknown = errorsOf(error)[0] ?? error;
  if (detail instanceof RegistryError) return detail;
  return new RegistryError(
    "REGISTRY_CONNECT",
    `${request.method} ${request.url.origin} failed: ${connectReason(request.host, detail)}`,
    { host: request.url.host, cause: error, retryable: isConnectFailure(error) || isReset(error) },
  );
}

/** What happened, and the way out where there is one. */
function connectReason(host: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (unknownAuthority.has(code))
    return `${messageOf(error)}; SSL_CERT_FILE can name a file with the authorities to trust`;
  // OpenSSL's message is its file and line.
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER")
    return `what answers there does not speak TLS; a registry of plain HTTP is named in the builder's buildkitd.toml: [registry."${host}"] http = true`;
  return messageOf(error);
}
