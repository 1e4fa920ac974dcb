import { SlipwayError } from "../core/index.js";

/**
 * Stable codes of {@link EngineError}.
 *
 * - `ENGINE_STATUS`: the engine refused; `status` and `engineMessage` tell why. Also `ENGINE_NOT_FOUND` (404) and
 * `ENGINE_CONFLICT` (409).
 * - `ENGINE_CONNECT`: no connection could be made. `ENGINE_CONNECTION_LOST`: it broke during the call.
 * - `ENGINE_CLOSED`: the client was closed by its owner.
 * - `ENGINE_VERSION`: the engine's API is older than slipway's floor, or it is no Docker engine.
 * - `ENGINE_UPGRADE_REFUSED`: something answered the request for a raw stream without giving one, mostly a proxy.
 * - `ENGINE_STREAM`: an error inside a stream that had begun well (pull, load, exec).
 * - `ENGINE_PROTOCOL`: bytes that the API does not allow. `ENGINE_TOO_LARGE`: more bytes than are accepted.
 * - `ENGINE_EXEC`: a process started by exec failed; `exitCode` and `stderr` tell how.
 * - `ENGINE_EMPTY_BODY`: an upload without a single byte.
 */
export type EngineErrorCode =
  | "ENGINE_STATUS"
  | "ENGINE_NOT_FOUND"
  | "ENGINE_CONFLICT"
  | "ENGINE_CONNECT"
  | "ENGINE_CONNECTION_LOST"
  | "ENGINE_CLOSED"
  | "ENGINE_VERSION"
  | "ENGINE_UPGRADE_REFUSED"
  | "ENGINE_STREAM"
  | "ENGINE_PROTOCOL"
  | "ENGINE_TOO_LARGE"
  | "ENGINE_EXEC"
  | "ENGINE_EMPTY_BODY";

/** What an {@link EngineError} knows besides its message. */
export interface EngineErrorDetails {
  /** HTTP status of the refusal. */
  status?: number | undefined;
  method?: string | undefined;
  /** Path as sent, with the version prefix and without the query. */
  path?: string | undefined;
  /** The engine's own words. */
  engineMessage?: string | undefined;
  /** Exit code of the process, for `ENGINE_EXEC`; undefined when the engine did not tell. */
  exitCode?: number | undefined;
  /** The end of what the process wrote to stderr, for `ENGINE_EXEC` and `ENGINE_CONNECT` over ssh. */
  stderr?: string | undefined;
  cause?: unknown;
}

/** Everything that goes wrong between slipway and a Docker engine; `code` says what kind it is. */
export class EngineError extends SlipwayError {
  declare readonly code: EngineErrorCode;
  readonly status: number | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly engineMessage: string | undefined;
  readonly exitCode: number | undefined;
  readonly stderr: string | undefined;

  constructor(code: EngineErrorCode, message: string, details: EngineErrorDetails = {}) {
    super(code, message, { cause: details.cause });
    this.status = details.status;
    this.method = details.method;
    this.path = details.path;
    this.engineMessage = details.engineMessage;
    this.exitCode = details.exitCode;
    this.stderr = details.stderr;
  }
}

/** The error for a status that refuses a call. Its text begins as in docker's own client. */
export function statusError(
  status: number,
  engineMessage: string,
  request: { method: string; path: string },
): EngineError {
  const code = status === 404 ? "ENGINE_NOT_FOUND" : status === 409 ? "ENGINE_CONFLICT" : "ENGINE_STATUS";
  const text = engineMessage || `${request.method} ${request.path} was answered with status ${status}`;
  return new EngineError(code, `Error response from daemon: ${text}`, {
    status,
    engineMessage,
    ...request,
  });
}
