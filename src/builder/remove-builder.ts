import { listDockerContexts } from "../config/index.js";
import { SlipwayError, isSlipwayError, messageOf, throwIfAborted } from "../core/index.js";
import type { BuilderContext } from "./builder-context.js";
import { BuilderNode } from "./builder-node.js";
import type { NodeGroup } from "./node-group.js";
import { NodeSurvey } from "./node-survey.js";
import { StoreError } from "./store-error.js";

/** How many builders are removed side by side. */
const atOnce = 8;

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
  const group = await storedGroup(context, name);
  const errors = group && !keepDaemon ? await removeNodes(context, group, { keepState, signal }) : [];
  await context.store.transaction((transaction) => transaction.remove(name), signal ? { signal } : {});
  if (errors.length > 0) throw removeError(errors);
}

/**
 * Removes a builder's containers, and their state unless kept; the builder itself stays in the store.
 *
 * @throws StoreError when there is no such builder or it is a docker context; SlipwayError `BUILDER_REMOVE` with what failed.
 */
export async function removeDaemons(
  context: BuilderContext,
  name: string,
  { keepState, signal }: { keepState: boolean; signal?: AbortSignal | undefined },
): Promise<void> {
  const group = await storedGroup(context, name);
  const errors = group ? await removeNodes(context, group, { keepState, signal }) : [];
  if (errors.length > 0) throw removeError(errors);
}

/**
 * Removes many builders as {@link removeBuilder} does: each engine is asked once what there is, and the store is locked once.
 *
 * @returns for each builder what could not be removed, by name and in the order given; undefined for one that is gone.
 */
export async function removeBuilders(
  context: BuilderContext,
  names: readonly string[],
  { keepState = false, keepDaemon = false, signal }: RemoveBuilderOptions = {},
): Promise<Map<string, Error | undefined>> {
  const survey = new NodeSurvey(context, { volumes: !keepState, signal });
  const results = new Map<string, Error | undefined>(names.map((name) => [name, undefined]));
  const gone: string[] = [];
  const waiting = [...results.keys()];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      try {
        const group = await storedGroup(context, name);
        gone.push(name);
        if (!group || keepDaemon) continue;
        const errors = await removeNodes(context, group, { keepState, survey, signal });
        if (errors.length > 0) results.set(name, removeError(errors));
      } catch (error) {
        throwIfAborted(signal);
        results.set(name, error as Error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  await context.store.transaction(
    async (transaction) => {
      for (const name of gone) {
        try {
          await transaction.remove(name);
        } catch (error) {
          results.set(name, error as Error);
        }
      }
    },
    signal ? { signal } : {},
  );
  return results;
}

/** A builder; undefined for one whose file is broken. @throws StoreError when there is none that could be removed. */
async function storedGroup(context: BuilderContext, name: string): Promise<NodeGroup | undefined> {
  let group: NodeGroup | undefined;
  try {
    group = await context.store.get(name);
  } catch (error) {
    if (isSlipwayError(error, "STORE_CORRUPT")) return undefined;
    throw error;
  }
  if (!group) throw await missing(context, name);
  return group;
}

/** Removes what a builder's nodes have on their engines, and gives what could not be. */
async function removeNodes(
  context: BuilderContext,
  group: NodeGroup,
  {
    keepState,
    survey,
    signal,
  }: { keepState: boolean; survey?: NodeSurvey; signal?: AbortSignal | undefined },
): Promise<SlipwayError[]> {
  const errors: SlipwayError[] = [];
  for (const stored of group.nodes) {
    const node = new BuilderNode(group, stored, context);
    try {
      if ((await survey?.of(node))?.isAbsent(node.name)) continue;
      const driver = await node.openDriver();
      try {
        await driver.remove({ keepState, signal });
      } finally {
        await driver.close();
      }
    } catch (error) {
      throwIfAborted(signal);
      const message = `failed to remove node ${node.name}: ${messageOf(error)}`;
      errors.push(new SlipwayError("BUILDER_REMOVE", message, { cause: error }));
    }
  }
  return errors;
}

function removeError(errors: readonly SlipwayError[]): SlipwayError {
  return new SlipwayError("BUILDER_REMOVE", errors.map(messageOf).join("; "), { cause: errors[0] });
}

async function missing(context: BuilderContext, name: string): Promise<StoreError> {
  const contexts = await listDockerContexts(context.env, context.config);
  if (name === "default" || contexts.some(({ contextName }) => contextName === name))
    return new StoreError(
      "STORE_REFUSED",
      `context builder cannot be removed, run \`docker context rm ${name}\` to remove this context`,
    );
  return new StoreError("STORE_NO_BUILDER", `no builder ${JSON.stringify(name)} found`);
}
