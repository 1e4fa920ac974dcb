import { auth as wire } from "../../buildkit/index.js";
import { dockerConfigDir, parseGoBool } from "../../config/index.js";
import { type GuardedEvents, type VertexWriter, guardEvents, withVertex } from "../../core/index.js";
import { grpcCodes } from "../../http2/index.js";
import {
  AnnouncedRealms,
  type CredentialProvider,
  RegistryError,
  RegistryHttp,
  type Token,
  type TokenRequest,
  callbackCredentials,
  dockerCredentials,
  fetchToken,
  hubRegistryHost,
  secretOf,
} from "../../registry/index.js";
import type { Attachable } from "../attachable.js";
import { service } from "../service.js";
import { SessionError } from "../session-error.js";
import type { AuthOptions } from "./auth.js";
import { type AuthorityKey, authorityKey } from "./authority-key.js";
import { TokenSeeds } from "./token-seeds.js";

/** Hosts of one build that credentials are looked up for; a build names few. */
const mostHosts = 1000;
const longestHost = 1024;
/** Scopes of one token: a push has one for each repository that it takes blobs from. */
const mostScopes = 256;

/** What {@link auth} serves, in full. */
export class AuthService {
  readonly #options: AuthOptions;
  readonly #events: GuardedEvents | undefined;
  readonly #provider: CredentialProvider;
  readonly #http: RegistryHttp;
  readonly #realms: AnnouncedRealms;
  readonly #seeds: TokenSeeds;
  readonly #shared = new Set<string>();
  /** Hosts that the builder has asked about: for each something is kept, and perhaps a program run. */
  readonly #asked = new Set<string>();

  constructor(options: AuthOptions) {
    const { env } = options;
    const events = guardEvents(options.sink);
    this.#events = events;
    const fallback =
      options.provider ??
      dockerCredentials({
        env,
        config: options.dockerConfig,
        onWarning: (text) => events?.sink({ type: "message", level: "warning", text }),
      });
    this.#options = options;
    this.#provider = options.credentials ? callbackCredentials(options.credentials, fallback) : fallback;
    this.#http = new RegistryHttp({ env, hosts: options.hosts });
    this.#realms = new AnnouncedRealms(this.#http);
    this.#seeds = new TokenSeeds(options.seedDir ?? dockerConfigDir(env));
  }

  attachable(): Attachable {
    return service(wire.Auth, {
      credentials: ({ Host: host }, { signal }) => this.#credentials(host, signal),
      fetchToken: async (request, { signal }) => {
        const { ClientID: clientId, Host: host, Realm: realm, Service: name, Scopes: scopes } = request;
        const { token, expiresIn, issuedAt } = await this.#token(
          { host, realm, service: name, scopes, ...(clientId && { clientId }) },
          signal,
        );
        await this.#options.onSecret?.(token);
        this.#events?.throwIfFailed();
        return {
          Token: token,
          ExpiresIn: BigInt(expiresIn),
          ...(issuedAt && { IssuedAt: BigInt(Math.floor(issuedAt.getTime() / 1000)) }),
        };
      },
      getTokenAuthority: async ({ Host, Salt }, { signal }) => ({
        PublicKey: (await this.#authorityKey(Host, Salt, signal)).publicKey,
      }),
      verifyTokenAuthority: async ({ Host, Salt, Payload }, { signal }) => ({
        Signed: (await this.#authorityKey(Host, Salt, signal)).sign(Payload),
      }),
    });
  }

  async #credentials(host: string, signal: AbortSignal): Promise<{ Username: string; Secret: string }> {
    const { username, secret } = secretOf(await this.#lookUp(host, [], signal));
    if (secret !== "" && !this.#shared.has(host)) {
      this.#shared.add(host);
      await withVertex(this.#events?.sink, `[auth] sharing credentials for ${host}`, async () => {});
    }
    this.#events?.throwIfFailed();
    return { Username: username, Secret: secret };
  }

  async #token(request: TokenRequest, signal: AbortSignal): Promise<Token> {
    checkForm(request);
    const { host, scopes } = request;
    const credentials = await this.#lookUp(host, scopes, signal);
    const asked = { ...request, credentials, source: this.#provider.source };
    if (credentials?.registryToken) return await fetchToken(this.#http, asked, signal);
    const subject = scopes.map((scope) => scope.replace(/^repository:/, "")).join(" ");
    const name = `[auth] ${subject} token for ${host}`;
    if (secretOf(credentials).secret !== "")
      return await withVertex(this.#events?.sink, name, (vertex) => {
        const foreign = foreignRealm(request);
        if (foreign !== undefined) vertex.log(1, Buffer.from(`token server of ${host} is ${foreign}\n`));
        return this.#fetch(asked, vertex, signal);
      });
    // Without a secret nothing is handed out, and only what failed is shown.
    const lines: Uint8Array[] = [];
    try {
      return await this.#fetch(asked, { log: (_, line) => lines.push(line) }, signal);
    } catch (error) {
      return await withVertex(this.#events?.sink, name, (vertex) => {
        for (const line of lines) vertex.log(2, line);
        throw error;
      });
    }
  }

  /** The user is told exactly what went wrong, the builder only in our own words: it must not see the answers (SEC-69). */
  async #fetch(
    request: TokenRequest,
    vertex: Pick<VertexWriter, "log">,
    signal: AbortSignal,
  ): Promise<Token> {
    const { host, realm, service, scopes } = request;
    const say = (words: string) => vertex.log(2, Buffer.from(`${words}\n`));
    const confirm = async () => {
      if (await this.#realms.confirms(host, { realm, service }, scopes, signal)) return;
      throw new RegistryError(
        "REGISTRY_REALM",
        `${host} does not announce the token server that the builder names, ${realm}; ${wayOut}`,
        { host },
      );
    };
    const onRefusal = (words: string) => say(`the token server of ${host}: ${words}`);
    try {
      return await fetchToken(this.#http, { ...request, confirm, onRefusal }, signal);
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== "REGISTRY_CONNECT") throw error;
      say(error.message);
      throw new RegistryError(
        error.code,
        `failed to fetch token: the token server of ${host} is not reached`,
        {
          cause: error,
          host,
        },
      );
    }
  }

  async #authorityKey(host: string, salt: Uint8Array, signal: AbortSignal): Promise<AuthorityKey> {
    if (parseGoBool(this.#options.env["BUILDKIT_NO_CLIENT_TOKEN"] ?? "") === true) {
      // The daemon falls back to Credentials on this code.
      throw new SessionError("SESSION_AUTH", "client side tokens disabled", {
        grpcCode: grpcCodes.unavailable,
      });
    }
    const { secret } = secretOf(await this.#lookUp(host, [], signal));
    return authorityKey(salt, secret === "" ? undefined : await this.#seeds.get(host, signal));
  }

  async #lookUp(host: string, scopes: readonly string[], signal: AbortSignal) {
    this.#asked.add(host.slice(0, longestHost));
    if (host.length >= longestHost || this.#asked.size > mostHosts)
      throw new SessionError(
        "SESSION_AUTH",
        host.length >= longestHost
          ? `the builder asks for credentials of a host whose name has ${host.length} characters`
          : `the builder asks for credentials of more than ${mostHosts} hosts`,
        { grpcCode: grpcCodes.resourceExhausted },
      );
    const credentials = await this.#provider({ host, scopes, signal });
    for (const secret of [credentials?.password, credentials?.identityToken, credentials?.registryToken]) {
      if (secret) await this.#options.onSecret?.(secret);
    }
    return credentials;
  }
}

const wayOut =
  "BUILDKIT_NO_CLIENT_TOKEN, set to 1, lets the builder fetch tokens itself, with your credentials";

/**
 * Checks the parts of a challenge: none is long, and all can be printed (RFC 9110 11.2, distribution token scope).
 *
 * @throws SessionError naming the part that is not so.
 */
function checkForm({ realm, service, scopes, clientId = "" }: TokenRequest): void {
  const parts: [string, string, number][] = [
    ["realm", realm, 4096],
    ["service", service, 1024],
    ["client", clientId, 256],
    ...scopes.slice(0, mostScopes).map((scope): [string, string, number] => ["scope", scope, 1024]),
  ];
  const wrong = parts.find(([, text, most]) => text.length > most || !/^[\x20-\x7e]*$/.test(text));
  if (!wrong && scopes.length <= mostScopes) return;
  throw new SessionError(
    "SESSION_AUTH",
    wrong
      ? `the builder asks for a token with a ${wrong[0]} that is no text of a challenge`
      : `the builder asks for a token with ${scopes.length} scopes, more than ${mostScopes}`,
    { grpcCode: grpcCodes.invalidArgument },
  );
}

/**
 * The token server's host when it is not the registry's own, so that people see where their password goes (SEC-21).
 * Docker Hub's is known to everybody.
 */
function foreignRealm({ host, realm }: TokenRequest): string | undefined {
  if (!URL.canParse(realm)) return undefined;
  const { host: server } = new URL(realm);
  const isHubs = host === hubRegistryHost && server === "auth.docker.io";
  return server === host || isHubs ? undefined : server;
}
