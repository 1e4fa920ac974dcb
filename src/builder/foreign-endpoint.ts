import { DriverError, creatableDrivers, defaultDriver, driverKind, findDriverKind } from "../driver/index.js";

/** Schemes of endpoints that other drivers of buildx take (buildx v0.38 driver/remote, driver/cloud, builder.go Create). */
const foreignSchemes: readonly [driver: string, schemes: readonly string[]][] = [
  ["remote", ["docker-container", "kube-pod", "nerdctl-container", "podman-container"]],
  ["kubernetes", ["kubernetes"]],
  ["cloud", ["cloud"]],
];

/**
 * Refuses an endpoint of another driver than that which is asked for.
 *
 * @throws DriverError that names the driver.
 */
export function refuseForeignEndpoint(endpoint: string): void {
  const scheme = endpoint.slice(0, Math.max(0, endpoint.indexOf("://"))).toLowerCase();
  const [driver] = foreignSchemes.find(([, schemes]) => schemes.includes(scheme)) ?? [];
  if (driver === undefined) return;
  const wayOut = findDriverKind(driver)?.creatable
    ? `give --driver ${driver} ${driverKind(driver).endpoint === "cluster" ? "instead of" : "with"} it`
    : `which slipway does not have; only ${creatableDrivers.join(", ")}`;
  throw new DriverError(
    "DRIVER_UNSUPPORTED",
    `${endpoint} is an endpoint of the driver ${JSON.stringify(driver)}, ${wayOut}. The driver ${defaultDriver} ` +
      "takes a docker context, or the host of an engine such as unix:///var/run/docker.sock",
  );
}
