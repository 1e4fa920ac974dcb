import { type ByteString, describeSystemError, displayPath } from "../../fs/index.js";
import { grpcCodes } from "../../http2/index.js";
import { SessionError, type SessionErrorOptions } from "../session-error.js";

/** What went wrong with a {@link SyncError}. */
export type SyncErrorCode =
  | "SESSION_SYNC_READ"
  | "SESSION_SYNC_CHANGED"
  | "SESSION_SYNC_PROTOCOL"
  | "SESSION_SYNC_REMOTE"
  | "SESSION_SYNC_REFUSED";

/**
 * A directory could not be sent to the builder. Codes: `SESSION_SYNC_READ` (a file cannot be read; `path` names it),
 * `_CHANGED` (it changed after it was announced), `_PROTOCOL` (the builder sent what a correct one does not),
 * `_REMOTE` (the builder reported an error), `_REFUSED` (it asked for a directory that is not served).
 */
export class SyncError extends SessionError {
  declare readonly code: SyncErrorCode;
  /** The file concerned, relative to the directory and escaped for display. */
  readonly path: string | undefined;

  constructor(code: SyncErrorCode, message: string, options: SessionErrorOptions & { path?: string } = {}) {
    super(code, message, options);
    this.path = options.path;
  }
}

/** The file is not what was announced any more (FLT-52, FLT-53, SEC-42). */
export function changed(path: ByteString, cause?: unknown): SyncError {
  const shown = displayPath(path);
  const way =
    "what changes while it is built from belongs into .dockerignore, or is sent as it is found by --context-race=warn";
  const message = `changed during upload: ${shown}; ${way}`;
  return new SyncError("SESSION_SYNC_CHANGED", message, { path: shown, cause });
}

/** The file cannot be opened or read (FLT-50, SEC-44, FLT-80). */
export function unreadable(path: ByteString, cause: unknown): SyncError {
  const message = `open ${describeSystemError(cause, path)}`;
  return new SyncError("SESSION_SYNC_READ", message, { path: displayPath(path), cause });
}

/** The builder sent something that a correct one does not. */
export function protocolError(message: string): SyncError {
  return new SyncError("SESSION_SYNC_PROTOCOL", message, { grpcCode: grpcCodes.invalidArgument });
}
