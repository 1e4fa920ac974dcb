import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../config/index.js";
import { isSlipwayError, messageOf } from "../core/index.js";
import { type DockerContainerOpts, engineEndpoint, reapEngine } from "../driver/index.js";
import { type ProcessIdentity, hasEnded, thisProcess } from "../fs/index.js";
import type { BuilderContext } from "./builder-context.js";
import { createBuilder } from "./create-builder.js";
import type { CreateBuilderOptions } from "./create-options.js";
import type { Node, NodeGroup } from "./node-group.js";
import { removeBuilder } from "./remove-builder.js";
import { ephemeralLabel, slipwayOptionsDir, slipwayOptionsFile } from "./slipway-options.js";

/** A builder that goes with the process. */
export interface EphemeralBuilderOptions extends Pick<
  CreateBuilderOptions,
  | "buildkitdFlags"
  | "buildkitdConfig"
  | "maxCacheSize"
  | "trustCa"
  | "endpoint"
  | "platforms"
  | "connect"
  | "signal"
> {
  /** `restart-policy` is `no` unless given. */
  driverOpts?: Readonly<DockerContainerOpts> | undefined;
  /** Default `process.env`. */
  env?: Environment | undefined;
  /** Told what was left by a process that ended and could not be removed, and what was found broken in the store. */
  onWarning?: ((text: string) => unknown) | undefined;
}

/** Names of ephemeral builders begin with this. */
const namePrefix = "slipway-ephemeral-";

/**
 * Makes a builder of a random name that belongs to this process, and removes what processes that have ended left of theirs
 * on its engine and in the store. It is not booted.
 *
 * @throws EngineError when the engine cannot be asked; otherwise as {@link createBuilder}. The store is then as before.
 */
export async function createEphemeral(
  context: BuilderContext,
  { driverOpts, signal, ...options }: EphemeralBuilderOptions,
): Promise<NodeGroup> {
  const name = `${namePrefix}${randomBytes(8).toString("hex")}`;
  // One that nobody is left to use has no reason to start again with the engine.
  const description = { ...options, name, driverOpts: { "restart-policy": "no", ...driverOpts }, signal };
  const kept = { ephemeral: JSON.stringify(await thisProcess()) };
  const { group } = await createBuilder(context, description, kept);
  try {
    for (const node of group.nodes) await reap(context, node, signal);
  } catch (error) {
    await context.store.transaction((transaction) => transaction.remove(name));
    throw error;
  }
  return group;
}

/** Removes an ephemeral builder with all it has; nothing happens when it is gone. */
export async function removeEphemeral(context: BuilderContext, name: string): Promise<void> {
  try {
    await removeBuilder(context, name);
  } catch (error) {
    if (!isSlipwayError(error, "STORE_NO_BUILDER")) throw error;
  }
}

/** Removes what is left of ephemeral builders whose processes have ended, from a node's engine and then from the store. */
async function reap(context: BuilderContext, node: Node, signal: AbortSignal | undefined): Promise<void> {
  const { env, store } = context;
  const ours = await storedOwners(context);
  const { problems, kept } = await reapEngine(await engineEndpoint(env, context.config, node.endpoint), env, {
    prefix: namePrefix,
    label: ephemeralLabel,
    // On another machine's engine nothing says that its owner ran here, but that it is in the store.
    isReapable: (owner, { isLocal, lastSign }) =>
      isOver(owner, isLocal || [...ours.values()].some((one) => one.text === owner) ? lastSign : undefined),
    signal,
  });
  for (const problem of problems) store.warn(problem);
  // What could not be removed stays in the store, where `slipway rm` finds it.
  if (problems.length > 0) return;
  const over: string[] = [];
  for (const [name, owner] of ours) {
    if (!(await isOver(owner.text, owner.written))) continue;
    try {
      const nodes = (await store.get(name))?.nodes ?? [];
      if (nodes.some((one) => kept.includes(one.name))) continue;
      // What is on other engines waits until one is made there.
      if (nodes.every(({ endpoint }) => endpoint === node.endpoint)) over.push(name);
    } catch (error) {
      store.warn(messageOf(error));
    }
  }
  if (over.length === 0) return;
  await store.transaction(
    async (transaction) => {
      for (const name of over) await transaction.remove(name);
    },
    signal ? { signal } : {},
  );
}

/** Whose an ephemeral builder of the store is. */
interface StoredOwner {
  /** Value of the label. */
  text: string;
  /** When the store was told of it, in ms since 1970. */
  written: number;
}

/** Owners of the store's ephemeral builders, by name. */
async function storedOwners({ store }: BuilderContext): Promise<Map<string, StoredOwner>> {
  const owners = new Map<string, StoredOwner>();
  for (const name of await store.dir.files(slipwayOptionsDir)) {
    if (!name.startsWith(namePrefix)) continue;
    try {
      const { ephemeral } = await store.slipwayOptions(name);
      if (ephemeral === undefined) continue;
      const { mtimeMs } = await stat(join(store.dir.path, slipwayOptionsFile(name)));
      owners.set(name, { text: ephemeral, written: mtimeMs });
    } catch (error) {
      store.warn(messageOf(error));
    }
  }
  return owners;
}

/** Whether the process that an owner text names is known to have ended. Other texts name nobody. */
async function isOver(text: string, lastSign: number | undefined): Promise<boolean> {
  const owner = parseOwner(text);
  return owner !== undefined && (await hasEnded(owner, { lastSign }));
}

function parseOwner(text: string): ProcessIdentity | undefined {
  try {
    const json = JSON.parse(text) as Record<string, unknown>;
    const { host, machineId = "", bootId, pidNamespace, pid, started } = json;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    if (typeof host !== "string" || typeof machineId !== "string" || typeof bootId !== "string")
      return undefined;
    if (typeof pidNamespace !== "string" || typeof started !== "string") return undefined;
    return { host, machineId, bootId, pidNamespace, pid, started };
  } catch {
    return undefined;
  }
}
