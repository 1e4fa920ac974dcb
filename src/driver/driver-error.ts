import { SlipwayError, type SlipwayErrorOptions } from "../core/index.js";

/** Stable codes of {@link DriverError}. */
export type DriverErrorCode =
  | "DRIVER_OPTION"
  | "DRIVER_BOOT"
  | "DRIVER_FOREIGN_CONTAINER"
  | "DRIVER_CONNECT"
  | "DRIVER_NOT_RUNNING"
  | "DRIVER_UNSUPPORTED"
  | "DRIVER_UNUSABLE"
  | "DRIVER_API"
  | "DRIVER_KUBECONFIG"
  | "DRIVER_PACKAGE";

/** Options of {@link DriverError}. */
export interface DriverErrorOptions extends SlipwayErrorOptions {
  /** The message without the daemon's log lines at its end, if it has any. */
  summary?: string | undefined;
}

/** A node that could not be made, booted, reached or removed. */
export class DriverError extends SlipwayError {
  declare readonly code: DriverErrorCode;

  /** The message, without log lines of the daemon. */
  readonly summary: string;

  constructor(
    code: DriverErrorCode,
    message: string,
    { summary = message, ...options }: DriverErrorOptions = {},
  ) {
    super(code, message, options);
    this.summary = summary;
  }
}
