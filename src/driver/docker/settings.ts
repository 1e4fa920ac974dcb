import { DriverError } from "../driver-error.js";
import type { NodeSettings } from "../driver-kind.js";

/**
 * The engine's own daemon is configured with the engine (buildx driver/docker/factory.go).
 *
 * @throws DriverError `DRIVER_OPTION`
 */
export function checkDockerSettings({ files }: NodeSettings): void {
  if (files.size > 0)
    throw new DriverError(
      "DRIVER_OPTION",
      "setting config file is not supported for docker driver, use dockerd configuration file",
    );
}
