import { messageOf } from "../../core/index.js";
import { grpcCodes } from "../../http2/index.js";
import { SessionError, type SessionErrorOptions } from "../session-error.js";

/** Fields of an {@link ExportError}. */
export interface ExportErrorOptions extends SessionErrorOptions {
  /** The local path concerned, for display. */
  path?: string;
}

/** What went wrong with an {@link ExportError}. */
export type ExportErrorCode =
  | "SESSION_EXPORT_PROTOCOL"
  | "SESSION_EXPORT_IO"
  | "SESSION_EXPORT_INCOMPLETE"
  | "SESSION_EXPORT_REMOTE"
  | "SESSION_EXPORT_REFUSED";

/**
 * A result could not be taken over from the daemon. Codes: `SESSION_EXPORT_PROTOCOL` (the daemon sent what a correct
 * one does not, or what is not accepted), `_IO` (the local disk refused; `path` and `cause` tell), `_INCOMPLETE` (the
 * stream ended early), `_REMOTE` (the daemon reported an error), `_REFUSED` (no such output, or it was taken already).
 */
export class ExportError extends SessionError {
  declare readonly code: ExportErrorCode;
  readonly path: string | undefined;

  constructor(code: ExportErrorCode, message: string, options: ExportErrorOptions = {}) {
    super(code, message, options);
    this.path = options.path;
  }
}

/** The daemon sent something that a correct one does not. */
export function protocolError(message: string): ExportError {
  return new ExportError("SESSION_EXPORT_PROTOCOL", message, { grpcCode: grpcCodes.invalidArgument });
}

/** A system call on `path` failed: `write /dest/a: no space left on device (ENOSPC)`. */
export function ioError(operation: string, path: string, cause: unknown): ExportError {
  return new ExportError("SESSION_EXPORT_IO", `${operation} ${path}: ${reasonOf(cause)}`, { path, cause });
}

/** The errno name of a system error, e.g. `EEXIST`. */
export function errnoOf(error: unknown): string | undefined {
  const code: unknown = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

/** Node writes `ENOSPC: no space left on device, write`: keeps the middle, since the rest names no path of ours. */
function reasonOf(cause: unknown): string {
  const text = messageOf(cause);
  const match = /^([A-Z][A-Z0-9]+): ([^,]+)/.exec(text);
  return match ? `${match[2]} (${match[1]})` : text;
}

/** A path for people: UTF-8 where it is, JSON-escaped and quoted. */
export function quotePath(path: Buffer): string {
  return JSON.stringify(path.toString("utf8"));
}
