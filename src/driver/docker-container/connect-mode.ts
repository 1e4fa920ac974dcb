import { DriverError } from "../driver-error.js";
import type { ConnectMode } from "./container-context.js";

/** @throws DriverError `DRIVER_OPTION` for anything but `auto`, `exec` and `socket`. */
export function connectMode(text: string): ConnectMode {
  if (text === "auto" || text === "exec" || text === "socket") return text;
  throw new DriverError("DRIVER_OPTION", `invalid connect mode "${text}", expecting auto, exec or socket`);
}
