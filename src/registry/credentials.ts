import type { AuthEntry } from "../config/index.js";
import { familiarHost } from "./hub.js";

/** Credentials for one registry; without any field: anonymous. */
export type RegistryCredentials = AuthEntry;

/** What credentials are asked for. */
export interface CredentialRequest {
  /** Registry host, with port when it has one; Docker Hub's is `registry-1.docker.io`. */
  host: string;
  /** What the token is for, e.g. `repository:library/alpine:pull`; empty when not for a token. */
  scopes: readonly string[];
  signal?: AbortSignal | undefined;
}

/** Finds credentials; undefined when there are none for the host. */
export type CredentialProvider = (request: CredentialRequest) => Promise<RegistryCredentials | undefined>;

/**
 * A program's own source of credentials, asked each time a token is fetched. `host` is `docker.io` for Docker Hub.
 * `undefined` leaves the host to Docker's configuration, `null` withholds credentials from it.
 */
export type CredentialsCallback = (request: {
  host: string;
  scopes: readonly string[];
  signal?: AbortSignal | undefined;
}) => Promise<
  | { username: string; password: string }
  | { identityToken: string }
  | { registryToken: string }
  | undefined
  | null
>;

/** A provider that asks the callback first, then `fallback` for hosts that the callback leaves open. */
export function callbackCredentials(
  callback: CredentialsCallback,
  fallback?: CredentialProvider,
): CredentialProvider {
  return async ({ host, scopes, signal }) => {
    const found = await callback({ host: familiarHost(host), scopes, signal });
    if (found === null) return undefined;
    return found ?? (await fallback?.({ host, scopes, signal }));
  };
}

/** The secret part and its user, as token servers take them: an identity token has no user name. */
export function secretOf(credentials: RegistryCredentials | undefined): { username: string; secret: string } {
  if (credentials?.identityToken) return { username: "", secret: credentials.identityToken };
  return { username: credentials?.username ?? "", secret: credentials?.password ?? "" };
}
