import { Builder, type BuilderNode } from "../builder/index.js";
import { type DaemonClient, DriverError, connectToAllRunning } from "../driver/index.js";
import { type EventSink, withDeadline } from "../core/index.js";
import type { CliContext } from "./cli-context.js";
import { warn } from "./warn.js";

/** How {@link withConnections} connects. */
export interface WithConnectionsOptions {
  /** Builder; default the current one. */
  builder: string | undefined;
  /** Limit for connecting, ms. */
  timeout: number;
}

/**
 * Runs `work` on each running node of a builder, side by side; nodes that do not run are left out, never booted.
 *
 * @throws DriverError `DRIVER_NOT_RUNNING` when none runs.
 */
export async function withConnections<T>(
  context: CliContext,
  options: WithConnectionsOptions,
  work: (client: DaemonClient) => Promise<T>,
): Promise<T[]> {
  const { env, signal } = context;
  const onWarning = (text: string) => warn(context, text);
  const builder = await Builder.open({ name: options.builder, env, signal, onWarning });
  const results = await Promise.all(
    builder.nodes.map((node) => onNode(node, { ...options, signal, onWarning }, work)),
  );
  const { name } = builder;
  if (results.every((result) => result.length === 0))
    throw new DriverError(
      "DRIVER_NOT_RUNNING",
      `builder ${name} is not running; boot it with: slipway inspect --bootstrap ${name}`,
    );
  return results.flat();
}

async function onNode<T>(
  node: BuilderNode,
  { timeout, signal, onWarning }: { timeout: number; signal: AbortSignal; onWarning: (text: string) => void },
  work: (client: DaemonClient) => Promise<T>,
): Promise<T[]> {
  const driver = await node.openDriver();
  const sink: EventSink = (event) => {
    if (event.type === "message") onWarning(event.text);
  };
  try {
    const clients = await withDeadline(signal, timeout, `connecting to node ${node.name}`, (within) =>
      connectToAllRunning(driver, { sink, signal: within }),
    );
    try {
      return await Promise.all(clients.map(work));
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  } finally {
    await driver.close();
  }
}
