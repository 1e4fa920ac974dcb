import { SlipwayError, type SlipwayErrorOptions } from "../core/index.js";

/** A node that could not be made, booted, reached or removed. */
export class DriverError extends SlipwayError {
  constructor(
    code:
      | "DRIVER_OPTION"
      | "DRIVER_BOOT"
      | "DRIVER_FOREIGN_CONTAINER"
      | "DRIVER_CONNECT"
      | "DRIVER_NOT_RUNNING"
      | "DRIVER_UNSUPPORTED",
    message: string,
    options?: SlipwayErrorOptions,
  ) {
    super(code, message, options);
  }
}
