import type { DockerConfig, Environment } from "../../config/index.js";
import { type EventSink, readOptions } from "../../core/index.js";
import type { CredentialProvider, CredentialsCallback, HostTls } from "../../registry/index.js";
import type { Attachable } from "../attachable.js";
import { authKinds } from "../option-kinds.js";

/** Options of {@link auth}. */
export interface AuthOptions {
  /** For proxies, certificates, credential helpers and `BUILDKIT_NO_CLIENT_TOKEN`. */
  env: Environment;
  /** Docker's configuration, when it is loaded already. */
  dockerConfig?: DockerConfig | undefined;
  /** The program's own credentials, asked before Docker's configuration each time a token is fetched. */
  credentials?: CredentialsCallback | undefined;
  /** Where credentials come from otherwise. Default `dockerCredentials` of the environment and configuration. */
  provider?: CredentialProvider | undefined;
  /** Gets the `[auth] …` vertices, and warnings about credentials that could not be read. What it throws, or rejects with, fails the call. */
  sink?: EventSink | undefined;
  /** Directory of `.token_seed`. Default Docker's configuration directory. */
  seedDir?: string | undefined;
  /** TLS settings by registry host, used towards its token server. */
  hosts?: ReadonlyMap<string, HostTls> | undefined;
  /** Called with every secret that is looked up, so that it can be kept out of messages and logs. What it throws, or rejects with, fails the call. */
  onSecret?: ((secret: string) => unknown) | undefined;
}

/** What is served, known before any of it is. */
const methods = ["Credentials", "FetchToken", "GetTokenAuthority", "VerifyTokenAuthority"].map(
  (name) => `/moby.filesync.v1.Auth/${name}`,
);

/**
 * Serves credentials and registry tokens (moby.filesync.v1.Auth). Tokens are fetched here, so that BuildKit sees the
 * password only when it asks for it, which the progress shows (buildkit session/auth/authprovider).
 */
export function auth(options: AuthOptions): Attachable {
  const checked = readOptions("auth()", options, authKinds);
  let service: Promise<Attachable> | undefined;
  return {
    methods,
    // A build whose images are all there asks for none.
    async handle(call) {
      service ??= load(checked);
      await (await service).handle(call);
    },
  };
}

async function load(options: AuthOptions): Promise<Attachable> {
  const { AuthService } = await import("./auth-service.js");
  return new AuthService(options).attachable();
}
