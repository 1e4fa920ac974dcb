import { types } from "node:util";
import type { SlipwayErrorCode } from "./error-codes.js";
import { blankSecrets } from "./redactor.js";

/** Marks errors of any copy of this library, so that two bundled copies recognise each other's. */
const brand = Symbol.for("slipway.error");

/** Options of every slipway error: what caused it. */
export interface SlipwayErrorOptions {
  cause?: unknown;
}

/**
 * Base class of everything slipway throws on purpose. `code` is stable and meant for programs, the message is
 * one sentence for people: lower-case, names the thing and its value (but for secrets), no trailing full stop.
 */
export class SlipwayError extends Error {
  /** Stable identifier in capitals, prefixed by the floor it comes from, e.g. `ENGINE_STATUS`. */
  readonly code: SlipwayErrorCode;

  /**
   * The same call may go through a moment later: a connection that broke or could not be made, a server that is busy, a time that
   * passed. False for what will fail again, and where that is not known.
   */
  get retryable(): boolean {
    return isPassing(this);
  }

  /** The first line of the message, cut at 200 characters: for a title or a log. */
  get shortMessage(): string {
    const [line = ""] = this.message.split("\n", 1);
    return line.length <= longestShort ? line : `${line.slice(0, longestShort - 1)}…`;
  }

  constructor(code: SlipwayErrorCode, message: string, options: SlipwayErrorOptions = {}) {
    // Messages quote what was given, also what was given by mistake (SEC-16).
    super(blankSecrets(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.name = new.target.name;
    Object.defineProperty(this, brand, { value: true });
  }
}

const longestShort = 200;

/** Codes of what may pass by itself. */
const passingCodes: ReadonlySet<SlipwayErrorCode> = new Set<SlipwayErrorCode>([
  "BUILDER_LOST",
  "BUILDKIT_CONNECTION_LOST",
  "DEADLINE",
  "ENGINE_CONNECTION_LOST",
  "FS_LOCK",
  "HTTP2_GOAWAY",
  "HTTP2_LOST",
  "HTTP2_NOT_RESPONDING",
  "SESSION_LOST",
  "SESSION_SUSPENDED",
]);

/** What a connection fails with that may succeed later. */
const passingCauses: ReadonlySet<unknown> = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
]);

/** Statuses of HTTP of a server that is busy, and gRPC's codes of the same (4 deadline, 14 unavailable). */
const passingStatuses: ReadonlySet<unknown> = new Set([408, 429, 500, 502, 503, 504]);
const passingGrpc: ReadonlySet<unknown> = new Set([4, 14]);

function isPassing(error: SlipwayError): boolean {
  const { code, status, grpcCode, cause } = error as SlipwayError & Record<"status" | "grpcCode", unknown>;
  if (code === "ABORTED" || code === "INVALID_ARGUMENT") return false;
  if (passingCodes.has(code) || passingStatuses.has(status) || passingGrpc.has(grpcCode)) return true;
  if (!code.endsWith("_CONNECT")) return false;
  for (let at: unknown = cause; isError(at); at = at.cause)
    if (passingCauses.has((at as NodeJS.ErrnoException).code)) return true;
  return false;
}

/**
 * The caller gave something that cannot be used, such as a wrong option or a malformed value. Thrown before anything is
 * contacted.
 */
export class InvalidArgumentError extends SlipwayError {
  constructor(message: string, options: SlipwayErrorOptions = {}) {
    super("INVALID_ARGUMENT", message, options);
  }
}

/** The caller's signal aborted the operation. `cause` is the signal's reason. Thrown after tear-down. */
export class AbortedError extends SlipwayError {
  constructor(reason: unknown) {
    super("ABORTED", "the operation was aborted", { cause: reason });
    this.name = "AbortError";
  }
}

/** Something did not answer in time. `milliseconds` is the limit. */
export class DeadlineError extends SlipwayError {
  readonly milliseconds: number;

  constructor(what: string, milliseconds: number) {
    super("DEADLINE", `${what} did not finish within ${milliseconds / 1000} s`);
    this.milliseconds = milliseconds;
  }
}

/**
 * True for any error that slipway threw on purpose, also by another bundled copy of it. With a code, or a list of them, only for
 * errors of these codes.
 */
export function isSlipwayError<Code extends SlipwayErrorCode = SlipwayErrorCode>(
  error: unknown,
  code?: Code | readonly Code[],
): error is SlipwayError & { readonly code: Code } {
  return (
    typeof error === "object" &&
    error !== null &&
    (error as Record<symbol, unknown>)[brand] === true &&
    (code === undefined || [code].flat().includes((error as SlipwayError).code as Code))
  );
}

/** True of errors, also of Node's own in the realm of a test runner, whose `Error` is another. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  // What Node says where a path is made absolute, whatever it was made for.
  if (isError(error) && (error as NodeJS.ErrnoException).syscall === "uv_cwd")
    return "the current directory cannot be found: it was removed, or may not be read";
  return isError(error) ? error.message : String(error);
}
