import type { Driver } from "./driver.js";
import type { DriverSpec } from "./open-driver.js";

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
