import type { BuilderNode } from "../../builder/index.js";
import { type DaemonClient, connectToAll } from "../../driver/index.js";
import type { EventSink } from "../../core/index.js";

/** A daemon whose builds are asked for: that of a node, or one of its pods. */
export interface HistoryNode {
  /** Of the node. */
  name: string;
  /** Of the daemon, where a node has several. */
  instance?: string;
  client: DaemonClient;
  close(): Promise<void>;
}

/** Connects to all daemons of a node, which is booted if need be. */
export async function openHistoryNodes(
  node: Pick<BuilderNode, "name" | "openDriver">,
  options: { sink: EventSink | undefined; signal: AbortSignal | undefined },
): Promise<HistoryNode[]> {
  const driver = await node.openDriver();
  try {
    const opened = await connectToAll(driver, options);
    let left = opened.length;
    return opened.map(({ client, instance }) => ({
      name: node.name,
      ...(instance !== undefined && { instance }),
      client,
      async close() {
        await client.close();
        if (--left === 0) await driver.close();
      },
    }));
  } catch (error) {
    await driver.close();
    throw error;
  }
}
