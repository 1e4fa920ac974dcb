import type { Driver } from "./driver.js";
import type { DriverSpec, reapEngine as reap } from "./open-driver.js";

/**
 * The driver of a node. Nothing is dialled yet. What drivers are made of is loaded by the first call, so that importing the
 * library costs nothing to speak of.
 *
 * @throws DriverError `DRIVER_OPTION` for unusable options, `DRIVER_UNSUPPORTED` for a driver slipway does not have.
 */
export async function loadDriver(spec: DriverSpec): Promise<Driver> {
  const { openDriver } = await import("./open-driver.js");
  return openDriver(spec);
}

/** `reapEngine` of open-driver.ts, loaded by the first call. */
export const reapEngine: typeof reap = async (...args) =>
  (await import("./open-driver.js")).reapEngine(...args);
