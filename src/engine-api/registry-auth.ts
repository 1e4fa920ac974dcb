/** Credentials for one registry, as the engine takes them (Docker Engine API, AuthConfig). */
export interface RegistryAuth {
  username?: string;
  password?: string;
  /** A token to trade for access tokens; stands in for user name and password. */
  identitytoken?: string;
  /** A bearer token to send as it is. */
  registrytoken?: string;
  /** Registry the credentials are for; `https://index.docker.io/v1/` for Docker Hub. */
  serveraddress?: string;
}

/** The value of `X-Registry-Auth`: URL-safe base64 **with** padding, since engines decode it strictly (Go base64.URLEncoding). */
export function encodeRegistryAuth(auth: RegistryAuth): string {
  const base64 = Buffer.from(JSON.stringify(auth), "utf8").toString("base64");
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}
