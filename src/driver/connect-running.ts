import { type BuildkitClient, requireSupportedVersion } from "../buildkit/index.js";
import type { ConnectOptions, Driver, DriverCallOptions, DriverInstance } from "./driver.js";

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
  return (await connectToInstances(driver, instances, options)).map(({ client }) => client);
}

/** A connection to one of a node's daemons. */
export interface InstanceClient {
  client: BuildkitClient;
  /** Its name, of a node that may have several. */
  instance?: string;
}

/** A connection to each of a node's daemons that run; the node is booted when none does. */
export async function connectToAll(
  driver: Driver,
  options: Pick<ConnectOptions, "sink" | "signal"> = {},
): Promise<InstanceClient[]> {
  const { signal } = options;
  const known = await driver.instances?.({ signal });
  if (!known) return [{ client: await driver.connect(options) }];
  if (known.some(isRunning)) return connectToInstances(driver, known, options);
  await (await driver.connect(options)).close();
  return connectToInstances(driver, (await driver.instances?.({ signal })) ?? [], options);
}

/** To all of those that run, or to none. */
async function connectToInstances(
  driver: Driver,
  instances: readonly DriverInstance[],
  options: Pick<ConnectOptions, "sink" | "signal">,
): Promise<InstanceClient[]> {
  const connecting = instances.filter(isRunning).map(async ({ name: instance }) => {
    return { client: await driver.connect({ ...options, boot: false, instance }), instance };
  });
  const settled = await Promise.allSettled(connecting);
  const opened = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (!failed) return opened;
  await Promise.all(opened.map(({ client }) => client.close()));
  throw failed.reason;
}

function isRunning({ status }: DriverInstance): boolean {
  return status === "running";
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
