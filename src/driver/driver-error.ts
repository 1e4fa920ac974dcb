import { SlipwayError, type SlipwayErrorOptions } from "../core/index.js";

/** Stable codes of {@link DriverError}. */
export type DriverErrorCode =
  | "DRIVER_OPTION"
  | "DRIVER_BOOT"
  | "DRIVER_FOREIGN_CONTAINER"
  | "DRIVER_CONNECT"
  | "DRIVER_NOT_RUNNING"
  | "DRIVER_UNSUPPORTED"
  | "DRIVER_UNUSABLE";

/** A node that could not be made, booted, reached or removed. */
export class DriverError extends SlipwayError {
  declare readonly code: DriverErrorCode;

  constructor(code: DriverErrorCode, message: string, options: SlipwayErrorOptions = {}) {
    super(code, message, options);
  }
}
