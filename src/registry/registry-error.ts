import { isPassing } from "./retry.js";
import { SlipwayError, type SlipwayErrorOptions } from "../core/index.js";

/** What went wrong with a registry or its token server. */
export type RegistryErrorCode =
  /** A credential helper is missing, failed or hung. */
  | "REGISTRY_CREDENTIAL_HELPER"
  /** No connection: name, network, TLS or proxy. */
  | "REGISTRY_CONNECT"
  /** Answered with a status that is not success. */
  | "REGISTRY_STATUS"
  /** Answered 404. */
  | "REGISTRY_NOT_FOUND"
  /** Answered 401 or 403 after all that could be tried. */
  | "REGISTRY_UNAUTHORIZED"
  /** The answer is not what the protocol says: too long, malformed, a redirect that must not be. */
  | "REGISTRY_PROTOCOL"
  /** Content does not have the digest it was asked for by. */
  | "REGISTRY_DIGEST"
  /** Credentials would have gone to an unprotected or unexpected place. */
  | "REGISTRY_REALM";

/** Options of {@link RegistryError}. */
export interface RegistryErrorOptions extends SlipwayErrorOptions {
  /** Registry or token server, host and port. */
  host?: string;
  /** HTTP status. */
  status?: number;
  /** See {@link RegistryError.retryable}. Default: by the status. */
  retryable?: boolean;
}

/** Talking to a registry failed, or to its token server, or to the helper that keeps its credentials. */
export class RegistryError extends SlipwayError {
  declare readonly code: RegistryErrorCode;
  readonly host?: string;
  /** HTTP status of the answer that was refused; absent when there was none. */
  readonly status?: number;
  readonly #retryable: boolean;

  constructor(code: RegistryErrorCode, message: string, options: RegistryErrorOptions = {}) {
    super(code, message, options);
    if (options.host !== undefined) this.host = options.host;
    if (options.status !== undefined) this.status = options.status;
    this.#retryable = options.retryable ?? (options.status !== undefined && isPassing(options.status));
  }

  /** The same request may go through a moment later: a busy server, a connection that broke. It has been repeated by then. */
  override get retryable(): boolean {
    return this.#retryable;
  }
}
