import { InvalidArgumentError, shape, text } from "../core/index.js";
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
export interface CredentialProvider {
  (request: CredentialRequest): Promise<RegistryCredentials | undefined>;
  /** Where it looks, in words: for the error of who finds none. */
  readonly source?: string;
}

/**
 * A program's own source of credentials, asked each time a token is fetched. `host` is `docker.io` for Docker Hub.
 * `undefined` leaves the host to Docker's configuration, `null` withholds credentials from it.
 */
export type CredentialsCallback = (request: {
  host: string;
  scopes: readonly string[];
  signal?: AbortSignal | undefined;
}) => GivenCredentials | Promise<GivenCredentials>;

/** What a {@link CredentialsCallback} gives. */
export type GivenCredentials =
  | { username: string; password: string }
  | { identityToken: string }
  | { registryToken: string }
  | undefined
  | null;

/** A provider that asks the callback first, then `fallback` for hosts that the callback leaves open. */
export function callbackCredentials(
  callback: CredentialsCallback,
  fallback?: CredentialProvider,
): CredentialProvider {
  const provider: CredentialProvider = async ({ host, scopes, signal }) => {
    const found = checkedCredentials(await callback({ host: familiarHost(host), scopes, signal }));
    if (found === null) return undefined;
    return found ?? (await fallback?.({ host, scopes, signal }));
  };
  const source = fallback?.source === undefined ? "" : `, nor in ${fallback.source}`;
  return Object.assign(provider, { source: `what the option credentials gave${source}` });
}

const credentialFields = shape("credentials", {
  username: text(),
  password: text(),
  identityToken: text(),
  registryToken: text(),
});

/** @throws InvalidArgumentError naming what a program without types got wrong; never a value. */
function checkedCredentials(given: GivenCredentials): GivenCredentials {
  if (given === undefined || given === null) return given;
  const fault = credentialFields.fault(given);
  if (fault) throw new InvalidArgumentError(`what the option credentials gave${fault.path} ${fault.problem}`);
  return given;
}

/** The secret part and its user, as token servers take them: an identity token has no user name. */
export function secretOf(credentials: RegistryCredentials | undefined): { username: string; secret: string } {
  if (credentials?.identityToken) return { username: "", secret: credentials.identityToken };
  return { username: credentials?.username ?? "", secret: credentials?.password ?? "" };
}
