import { SlipwayError, type SlipwayErrorOptions } from "../core/index.js";
import { systemReason } from "./system-error.js";

/** A file could not be written. `errno` is the system's code, where it was the system that refused. */
export class FileWriteError extends SlipwayError {
  readonly path: string;
  readonly reason: string;
  readonly errno: string | undefined;

  /** @param options.what names what the file is, in the message */
  constructor(
    path: string,
    reason: string,
    options: SlipwayErrorOptions & { what?: string | undefined } = {},
  ) {
    const { what, ...rest } = options;
    super("FS_WRITE", `cannot write ${what === undefined ? "" : `${what} `}${path}: ${reason}`, rest);
    this.path = path;
    this.reason = reason;
    const code: unknown = (options.cause as { code?: unknown } | undefined)?.code;
    this.errno = typeof code === "string" ? code : undefined;
  }
}

/** The error for what the system refused, in words that name the path, and what the file is if that is given. */
export function writeError(path: string, cause: unknown, what?: string): FileWriteError {
  if (!(cause instanceof FileWriteError))
    return new FileWriteError(path, systemReason(cause), { cause, what });
  return what === undefined ? cause : new FileWriteError(path, cause.reason, { cause: cause.cause, what });
}
