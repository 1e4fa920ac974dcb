import { Builder, isBuilder } from "../builder/index.js";
import { DriverError, connectToAllRunning } from "../driver/index.js";
import type { BuildkitClient } from "../buildkit/index.js";
import type { Environment } from "../config/index.js";

/** The builder whose nodes are meant. */
export interface RunningNodesOptions {
  /** A builder's name, or a builder; default the current one. */
  builder?: string | Builder | undefined;
  /** Default `process.env`. */
  env?: Environment | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Connects to each running node of a builder, one after another; nodes that do not run are left out, never booted.
 *
 * @throws DriverError `DRIVER_NOT_RUNNING` when none runs.
 */
export async function* runningNodes(options: RunningNodesOptions): AsyncGenerator<BuildkitClient> {
  const { env, signal } = options;
  const builder = isBuilder(options.builder)
    ? options.builder
    : await Builder.open({ name: options.builder, env, signal });
  let isRunning = false;
  for (const node of builder.nodes) {
    const driver = await node.openDriver();
    try {
      const clients = await connectToAllRunning(driver, { signal });
      if (clients.length > 0) isRunning = true;
      try {
        yield* clients;
      } finally {
        await Promise.all(clients.map((client) => client.close()));
      }
    } finally {
      await driver.close();
    }
  }
  if (!isRunning)
    throw new DriverError(
      "DRIVER_NOT_RUNNING",
      `builder ${builder.name} is not running; boot it with: slipway inspect --bootstrap ${builder.name}`,
    );
}

/** A connection to a daemon, rather than options that name a builder. */
export function isClient(value: object): value is BuildkitClient {
  // Also one of another copy of this library.
  return "openSession" in value;
}
