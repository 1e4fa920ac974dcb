import type { Driver } from "./driver.js";
import type { DriverSpec, reapEngine as reap } from "./open-driver.js";
import type { surveyEndpoint as survey } from "./open-engine.js";

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

/** `surveyEndpoint` of open-engine.ts, loaded by the first call; what talks to a daemon is not loaded for it. */
export const surveyEndpoint: typeof survey = async (...args) =>
  (await import("./open-engine.js")).surveyEndpoint(...args);
