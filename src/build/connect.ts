import type { ConnectTarget, Connection } from "./connection.js";

/**
 * Connects to a builder, which is started if it does not run. Close the connection when done.
 *
 * @throws InvalidArgumentError for an invalid target; StoreError, DriverError or BuildkitError for a builder that cannot
 * be found, booted or reached.
 */
export async function connect(target: ConnectTarget = {}): Promise<Connection> {
  const { openConnection } = await import("./connection.js");
  return openConnection(target);
}
