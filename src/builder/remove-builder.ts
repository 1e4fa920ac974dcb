import { listDockerContexts } from "../config/index.js";
import { SlipwayError, isSlipwayError, messageOf, throwIfAborted } from "../core/index.js";
import { isBuilderName } from "./builder-name.js";
import type { BuilderContext } from "./builder-context.js";
import { BuilderNode } from "./builder-node.js";
import { StoreError } from "./store-error.js";

/** Options of {@link removeBuilder}. */
export interface RemoveBuilderOptions {
  /** Keep the state volumes, and with them the build cache. */
  keepState?: boolean;
  /** Only forget the builder; its containers go on as they are. */
  keepDaemon?: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Removes a builder: its containers, its state unless kept, and its entry in the store. The entry goes even when a
 * container could not be removed (an engine that is gone for good must not keep it), and so does one whose file is broken
 * (STO-1, STO-19).
 *
 * @throws StoreError when there is no such builder or it is a docker context; SlipwayError `BUILDER_REMOVE` with what failed.
 */
export async function removeBuilder(
  context: BuilderContext,
  name: string,
  { keepState = false, keepDaemon = false, signal }: RemoveBuilderOptions = {},
): Promise<void> {
  const group = await context.store.get(name).catch((error: unknown) => {
    if (isSlipwayError(error, "STORE_CORRUPT")) return "broken" as const;
    throw error;
  });
  if (!group) throw await missing(context, name);
  const errors: unknown[] = [];
  if (group !== "broken" && !keepDaemon) {
    for (const stored of group.nodes) {
      const node = new BuilderNode(group, stored, context);
      try {
        const driver = await node.openDriver();
        try {
          await driver.remove({ keepState, signal });
        } finally {
          await driver.close();
        }
      } catch (error) {
        throwIfAborted(signal);
        errors.push(
          new SlipwayError("BUILDER_REMOVE", `failed to remove node ${node.name}: ${messageOf(error)}`, {
            cause: error,
          }),
        );
      }
    }
  }
  await context.store.transaction((transaction) => transaction.remove(name), signal ? { signal } : {});
  if (errors.length > 0)
    throw new SlipwayError("BUILDER_REMOVE", errors.map(messageOf).join("; "), { cause: errors[0] });
}

async function missing(context: BuilderContext, name: string): Promise<StoreError> {
  const text = isBuilderName(name)
    ? `no builder ${JSON.stringify(name)} found`
    : `invalid builder name ${JSON.stringify(name)}`;
  const contexts = await listDockerContexts(context.env, context.config);
  if (name === "default" || contexts.some(({ contextName }) => contextName === name))
    return new StoreError(
      "STORE_REFUSED",
      `context builder cannot be removed, run \`docker context rm ${name}\` to remove this context`,
    );
  return new StoreError("STORE_NO_BUILDER", text);
}
