import type { ConnectTarget, Connection } from "./connection.js";

/**
 * Makes the builder run if it does not, and connects to it. Close the connection when done.
 *
 * @throws InvalidArgumentError for a target that is none; StoreError, DriverError or BuildkitError for a builder that cannot
 * be found, booted or reached.
 */
export async function connect(target: ConnectTarget = {}): Promise<Connection> {
  const { openConnection } = await import("./connection.js");
  return openConnection(target);
}
