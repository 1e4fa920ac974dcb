import type { Driver } from "./driver.js";
import { type DriverSpec, driverKind } from "./driver-kind.js";
import type { reapEngine as reap } from "./docker-container/open.js";
import type { RemoteTarget } from "./remote/remote-driver.js";
import type { surveyEndpoint as survey } from "./open-engine.js";

export type { RemoteTarget };

/**
 * The driver of a node. Nothing is dialled yet. What drivers are made of is loaded by the first call, so that importing the
 * library costs nothing to speak of.
 *
 * @throws DriverError `DRIVER_OPTION` for unusable options, `DRIVER_UNSUPPORTED` for a driver slipway does not have; ConfigError
 * for a docker context that is gone.
 */
export async function loadDriver(spec: DriverSpec): Promise<Driver> {
  const kind = driverKind(spec.driver);
  kind.check(spec);
  return kind.open(spec);
}

/** The driver of a daemon that is no node of a builder. Nothing is dialled yet. @throws InvalidArgumentError for an address that is none. */
export async function loadRemote(target: RemoteTarget): Promise<Driver> {
  return (await import("./remote/remote-driver.js")).openTarget(target);
}

/** `reapEngine` of docker-container/open.ts, loaded by the first call. */
export const reapEngine: typeof reap = async (...args) =>
  (await import("./docker-container/open.js")).reapEngine(...args);

/** `surveyEndpoint` of open-engine.ts, loaded by the first call; what talks to a daemon is not loaded for it. */
export const surveyEndpoint: typeof survey = async (...args) =>
  (await import("./open-engine.js")).surveyEndpoint(...args);
