import { STATUS_CODES } from "node:http";
import { sleep, withDeadline } from "../core/index.js";
import { type RegistryCredentials, secretOf } from "./credentials.js";
import { isLoopbackHost } from "./hub.js";
import { RegistryError } from "./registry-error.js";
import type { HttpResponse, RegistryHttp } from "./registry-http.js";
import { readJson, readRefusal } from "./response-body.js";
import { maxRetries, retryDelay } from "./retry.js";
import { unauthorizedReason } from "./unauthorized.js";

/** What token to fetch, and where: the parameters of a registry's `WWW-Authenticate: Bearer` challenge. */
export interface TokenRequest {
  /** Registry that wants the token, with port when it has one. */
  host: string;
  /** Address of the token server. */
  realm: string;
  service: string;
  scopes: readonly string[];
  /** `client_id` of the OAuth2 request. Default `buildkit-client`. */
  clientId?: string;
  credentials?: RegistryCredentials | undefined;
  /** Where credentials were looked for, in words. */
  source?: string | undefined;
  /** Run before anything is sent, when the realm is one that may be asked at all; throws when it is not to be asked. */
  confirm?: (() => Promise<void>) | undefined;
  /** Gets the server's own words about a refusal. Given, they are left out of errors, which somebody else may see. */
  onRefusal?: ((words: string) => void) | undefined;
}

/** A bearer token. */
export interface Token {
  token: string;
  /** Lifetime in seconds; 60 when the server does not say. */
  expiresIn: number;
  issuedAt?: Date;
}

/** Longest answer of a token server, bytes (SEC-22). */
const maxAnswerBytes = 1024 * 1024;
/** Limit of the whole exchange, ms (FLT-24). */
const totalMilliseconds = 30_000;
/** What a specification without an `expires_in` means (distribution token specification). */
const defaultExpiration = 60;
/** A year. What claims to be good for longer is not asked for more often. */
const longestExpiration = 366 * 24 * 3600;
/** A longer one fits into no header. */
const longestToken = 64 * 1024;

/**
 * Fetches a token as buildx does: by OAuth2 POST when there is a secret; by GET with basic authentication when the
 * server does not know that (404, 401, and 405 with a user name); by anonymous GET without a secret. A registry token
 * is returned as it is (buildkit session/auth/authprovider `FetchToken`, containerd remotes/docker/auth).
 *
 * The token server is asked over https only, unless the registry is marked insecure or both are on this machine
 * (SEC-21), and not inside networks that the registry is not in itself (SEC-69); redirects are not followed (SEC-22).
 *
 * A server that is busy or breaks the connection is asked again, as it says itself by `Retry-After`.
 *
 * @throws RegistryError beginning with `failed to fetch oauth token` or `failed to fetch anonymous token`.
 */
export async function fetchToken(
  http: RegistryHttp,
  request: TokenRequest,
  signal?: AbortSignal,
): Promise<Token> {
  const { credentials } = request;
  if (credentials?.registryToken) {
    // It goes into a header as it is; a line break at its end is a copied file's.
    const token = credentials.registryToken.trim();
    if (!isHeaderToken(token))
      throw new RegistryError(
        "REGISTRY_UNAUTHORIZED",
        `the registry token for ${request.host} cannot be sent: it must be printable ASCII without blanks, and at most ${longestToken} bytes`,
        { host: request.host },
      );
    return { token, expiresIn: defaultExpiration };
  }
  const { username, secret } = secretOf(credentials);
  const kind = secret ? "oauth" : "anonymous";
  try {
    const realm = parseRealm(request);
    checkRealm(http, request.host, realm, secret !== "");
    await request.confirm?.();
    const ask = () =>
      withDeadline(signal, totalMilliseconds, `token request to ${realm.host}`, (signal) =>
        secret
          ? fetchWithSecret(http, request, realm, { username, secret }, signal)
          : fetchByGet(http, request, realm, undefined, signal),
      );
    return await persistently(ask, signal);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const { host, status, retryable } = error;
    const asked = { found: secret !== "", source: request.source };
    const why = error.code === "REGISTRY_UNAUTHORIZED" ? `; ${unauthorizedReason(request.host, asked)}` : "";
    throw new RegistryError(error.code, `failed to fetch ${kind} token: ${error.message}${why}`, {
      cause: error,
      retryable,
      ...(host !== undefined && { host }),
      ...(status !== undefined && { status }),
    });
  }
}

/** What a server of passing troubles answered, and how long it wants to be left alone. */
const delays = new WeakMap<RegistryError, HttpResponse["headers"]>();

async function persistently(ask: () => Promise<Token>, signal: AbortSignal | undefined): Promise<Token> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      // No connection at all has been tried twice by now.
      const isWorthwhile =
        error instanceof RegistryError && error.retryable && error.code !== "REGISTRY_CONNECT";
      if (!isWorthwhile || attempt >= maxRetries) throw error;
      await sleep(retryDelay(delays.get(error), attempt), signal);
    }
  }
}

interface Secret {
  username: string;
  secret: string;
}

async function fetchWithSecret(
  http: RegistryHttp,
  request: TokenRequest,
  realm: URL,
  secret: Secret,
  signal: AbortSignal,
): Promise<Token> {
  const form = new URLSearchParams();
  if (request.scopes.length > 0) form.set("scope", request.scopes.join(" "));
  form.set("service", request.service);
  form.set("client_id", request.clientId ?? "buildkit-client");
  if (secret.username === "") {
    form.set("grant_type", "refresh_token");
    form.set("refresh_token", secret.secret);
  } else {
    form.set("grant_type", "password");
    form.set("username", secret.username);
    form.set("password", secret.secret);
  }
  const response = await http.request({
    method: "POST",
    url: realm,
    host: request.host,
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: form.toString(),
    once: true,
    near: true,
    signal,
  });
  const { statusCode } = response;
  // GCR is known to answer 404, JFrog Artifactory 401 (authprovider.go).
  const unknown = statusCode === 404 || statusCode === 401 || (statusCode === 405 && secret.username !== "");
  if (!unknown) return await readToken(response, "POST", realm, request);
  await response.body.dump();
  return await fetchByGet(http, request, realm, secret, signal);
}

async function fetchByGet(
  http: RegistryHttp,
  request: TokenRequest,
  realm: URL,
  secret: Secret | undefined,
  signal: AbortSignal,
): Promise<Token> {
  const url = new URL(realm);
  if (request.service !== "") url.searchParams.append("service", request.service);
  for (const scope of request.scopes) url.searchParams.append("scope", scope);
  const basic = secret && Buffer.from(`${secret.username}:${secret.secret}`).toString("base64");
  const response = await http.request({
    method: "GET",
    url,
    host: request.host,
    headers: basic === undefined ? {} : { authorization: `Basic ${basic}` },
    once: true,
    near: true,
    signal,
  });
  return await readToken(response, "GET", realm, request);
}

/** The error of a token server that names another place: nobody has vouched for that one. */
async function redirected(
  { statusCode: status, headers, body }: HttpResponse,
  realm: URL,
  onRefusal: TokenRequest["onRefusal"],
): Promise<RegistryError> {
  await body.dump();
  const location = headers["location"];
  const isUrl = typeof location === "string" && URL.canParse(location, realm.href);
  const target = isUrl ? `to ${new URL(location, realm.href).origin}` : "";
  if (target) onRefusal?.(`redirects ${target}`);
  const where = target && !onRefusal ? ` ${target}` : "";
  return new RegistryError(
    "REGISTRY_PROTOCOL",
    `token server ${realm.origin}${realm.pathname} redirects${where}, which is not followed`,
    { host: realm.host, status },
  );
}

async function readToken(
  response: HttpResponse,
  method: string,
  realm: URL,
  { onRefusal }: TokenRequest,
): Promise<Token> {
  const { statusCode: status, headers } = response;
  const host = realm.host;
  const place = realm.origin + realm.pathname;
  if (status >= 300 && status < 400) throw await redirected(response, realm, onRefusal);
  if (status < 200 || status >= 400) {
    const words = await readRefusal(response);
    if (words) onRefusal?.(words);
    const detail = onRefusal ? "" : words;
    const error = new RegistryError(
      status === 401 || status === 403 ? "REGISTRY_UNAUTHORIZED" : "REGISTRY_STATUS",
      `unexpected status from ${method} request to ${place}: ${status} ${STATUS_CODES[status] ?? ""}`.trimEnd() +
        (detail && `: ${detail}`),
      { host, status },
    );
    delays.set(error, headers);
    throw error;
  }
  const answer = await readJson(response, maxAnswerBytes, `the answer of token server ${place}`);
  // Both names are in use, and where both are given they are the same.
  const token = answer["access_token"] || answer["token"];
  if (typeof token !== "string" || !isHeaderToken(token)) {
    throw new RegistryError(
      "REGISTRY_PROTOCOL",
      `authorization server ${place} did not include a token in the response`,
      { host, status },
    );
  }
  const expires = Number(answer["expires_in"]);
  const issued = typeof answer["issued_at"] === "string" ? Date.parse(answer["issued_at"]) : NaN;
  return {
    token,
    expiresIn:
      Number.isFinite(expires) && expires >= 1
        ? Math.min(Math.trunc(expires), longestExpiration)
        : defaultExpiration,
    ...(Number.isFinite(issued) && { issuedAt: new Date(issued) }),
  };
}

function parseRealm({ realm, host }: TokenRequest): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new RegistryError("REGISTRY_REALM", `invalid token realm of ${host}`, { host });
  }
  return url;
}

/** An unencrypted realm is asked only where the user has said that the host is insecure, or both are this machine. */
function checkRealm(http: RegistryHttp, host: string, realm: URL, hasSecret: boolean): void {
  if (realm.protocol === "https:") return;
  const { insecure = false, http: plain = false } = http.settingsOf(host);
  if (insecure || plain || (isLoopbackHost(host) && isLoopbackHost(realm.host))) return;
  throw new RegistryError(
    "REGISTRY_REALM",
    hasSecret
      ? `credentials for ${host} are not sent to ${realm.origin}: it is not https`
      : `the token server of ${host} is not asked at ${realm.origin}: it is not https`,
    { host },
  );
}

/** What can stand behind `Bearer` in a header. */
function isHeaderToken(text: string): boolean {
  return text.length <= longestToken && /^[\x21-\x7e]+$/.test(text);
}
