import type { SlipwayErrorCode } from "../core/index.js";
import { GrpcError, type GrpcErrorOptions, grpcCodes } from "../http2/index.js";

/** Codes of {@link SessionError} and of its subclasses. */
export type SessionErrorCode = Extract<SlipwayErrorCode, `SESSION_${string}`>;

/** Options of {@link SessionError}. */
export interface SessionErrorOptions extends GrpcErrorOptions {
  /** Status sent to the builder, one of `grpcCodes`; UNKNOWN when not given. */
  grpcCode?: number;
}

/**
 * Something failed in the session, the connection over which the builder asks back. Thrown by a service it becomes
 * the status of the builder's call. `code` starts with `SESSION_`, e.g. `SESSION_LOST`.
 */
export class SessionError extends GrpcError {
  constructor(code: SessionErrorCode, message: string, options: SessionErrorOptions = {}) {
    super(options.grpcCode ?? grpcCodes.unknown, message, options, code);
  }
}
