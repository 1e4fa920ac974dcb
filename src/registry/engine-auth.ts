import type { CredentialProvider } from "./credentials.js";
import { credentialsKey, registryHost } from "./hub.js";
import { parseReference } from "./reference.js";

/** Credentials as the engine takes them in `X-Registry-Auth` (Docker Engine API, AuthConfig). */
export interface EngineAuth {
  username?: string;
  password?: string;
  identitytoken?: string;
  registrytoken?: string;
  /** Registry; `https://index.docker.io/v1/` for Docker Hub. */
  serveraddress: string;
}

/**
 * The credentials that the engine needs to pull or push an image; undefined when there are none for its registry
 * (buildx util/imagetools `RegistryAuthForRef`).
 *
 * @throws InvalidArgumentError when the reference is malformed.
 */
export async function engineAuth(
  reference: string,
  provider: CredentialProvider,
  signal?: AbortSignal,
): Promise<EngineAuth | undefined> {
  const { domain } = parseReference(reference);
  const found = await provider({ host: registryHost(domain), scopes: [], signal });
  if (!found) return undefined;
  const { username, password, identityToken, registryToken } = found;
  return {
    ...(username && { username }),
    // The engine prefers the token; a password beside it would be a second secret sent for nothing.
    ...(password && !identityToken && { password }),
    ...(identityToken && { identitytoken: identityToken }),
    ...(registryToken && { registrytoken: registryToken }),
    serveraddress: credentialsKey(domain),
  };
}
