import { type BuildkitClient, requireSupportedVersion } from "../buildkit/index.js";
import type { ConnectOptions, Driver, DriverCallOptions } from "./driver.js";

/**
 * A connection to a node's daemon if it runs, which is not changed; undefined if it does not.
 *
 * @throws DriverError or EngineError when that cannot be known, or the daemon cannot be reached.
 */
export async function connectRunning(
  driver: Driver,
  { sink, signal }: Pick<ConnectOptions, "sink" | "signal"> = {},
): Promise<BuildkitClient | undefined> {
  // A daemon of somebody else's is known to run when it answers.
  if (driver.features.ownsDaemon && (await driver.status({ signal })) !== "running") return undefined;
  return driver.connect({ boot: false, sink, signal });
}

/** As {@link connectRunning}, to each of a node's daemons, of which drivers may have several. */
export async function connectToAllRunning(
  driver: Driver,
  options: Pick<ConnectOptions, "sink" | "signal"> = {},
): Promise<BuildkitClient[]> {
  const instances = await driver.instances?.({ signal: options.signal });
  if (!instances) {
    const client = await connectRunning(driver, options);
    return client ? [client] : [];
  }
  const running = instances.filter(({ status }) => status === "running");
  const connecting = running.map(({ name }) => driver.connect({ ...options, boot: false, instance: name }));
  const settled = await Promise.allSettled(connecting);
  const clients = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (!failed) return clients;
  await Promise.all(clients.map((client) => client.close()));
  throw failed.reason;
}

/**
 * A connection to build on. Boots the node if need be.
 *
 * @throws DriverError when it cannot be booted or reached; BuildkitError for a daemon that is too old, unless it is the engine's,
 * which is as old as the engine and is used as it is.
 */
export async function connectForBuild(driver: Driver, options: ConnectOptions): Promise<BuildkitClient> {
  const client = await driver.connect(options);
  try {
    if (!driver.features.engineStore)
      requireSupportedVersion((await client.info({ signal: options.signal })).version);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** Makes a node's daemon run and answer, without doing anything with it; throws as {@link connectForBuild} does. */
export async function bootNode(
  driver: Driver,
  options: Pick<ConnectOptions, "sink"> & DriverCallOptions = {},
): Promise<void> {
  const client = await connectForBuild(driver, options);
  await client.close();
}
