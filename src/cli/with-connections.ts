import { Builder, type DaemonClient } from "../builder/index.js";
import type { CliContext } from "./cli-context.js";
import { warn } from "./warn.js";

/** Runs `work` on each running node of a builder, side by side; nodes that do not run are left out, never booted. */
export async function withConnections<T>(
  context: CliContext,
  name: string | undefined,
  work: (client: DaemonClient) => Promise<T>,
): Promise<T[]> {
  const { env, signal } = context;
  const builder = await Builder.open({ name, env, signal, onWarning: (text) => warn(context, text) });
  const results = await Promise.all(
    builder.nodes.map(async (node) => {
      const driver = await node.openDriver();
      try {
        if ((await driver.status({ signal })) !== "running") return [];
        const client = await driver.connect({ boot: false, signal });
        try {
          return [await work(client)];
        } finally {
          await client.close();
        }
      } finally {
        await driver.close();
      }
    }),
  );
  return results.flat();
}
