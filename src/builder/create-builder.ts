import { listDockerContexts, parseCsvFields } from "../config/index.js";
import { InvalidArgumentError, abortError, isSlipwayError, messageOf } from "../core/index.js";
import {
  DriverError,
  type DriverKind,
  creatableDrivers,
  defaultDriver,
  driverKind,
  findDriverKind,
} from "../driver/index.js";
import type { BuilderContext } from "./builder-context.js";
import { BuilderNode } from "./builder-node.js";
import type { CreateBuilderOptions } from "./create-options.js";
import { currentKey } from "./current-builder.js";
import { clusterEndpoint } from "./node-endpoint.js";
import { loadNodeInfo } from "./node-info.js";
import { type NodeGroup, emptyNodeGroup } from "./node-group.js";
import { nodeSettings } from "./node-settings.js";
import type { SlipwayOptions } from "./slipway-options.js";
import { StoreError } from "./store-error.js";
import type { StoreView } from "./store-view.js";
import { leaveNode, updateNode } from "./update-node.js";

/** What {@link createBuilder} did. */
export interface CreatedBuilder {
  group: NodeGroup;
  /** The changes take effect when the builder is made again. */
  needsRestart: boolean;
}

/**
 * Creates a builder, adds a node to one, or changes a node (buildx v0.36 builder/builder.go Create). Nothing is booted.
 * The store is as before when anything fails. `kept` is what only slipway is to know of it.
 *
 * @throws InvalidArgumentError, DriverError, StoreError or ConfigError that name what is wrong.
 */
export async function createBuilder(
  context: BuilderContext,
  options: CreateBuilderOptions,
  kept: Pick<SlipwayOptions, "ephemeral"> = {},
): Promise<CreatedBuilder> {
  const { name, append = false } = options;
  if (name === "default")
    throw new InvalidArgumentError(
      "default is a reserved name and cannot be used to identify builder instance",
    );
  if (append && !name) throw new InvalidArgumentError("append requires a builder name");
  const { env, config, store } = context;
  if (name && !append) {
    const contexts = await listDockerContexts(env, config);
    if (contexts.some(({ contextName }) => contextName === name))
      throw new StoreError(
        "STORE_REFUSED",
        `instance name ${JSON.stringify(name)} already exists as context builder`,
      );
  }
  // What a builder's endpoint and settings may be follows from its driver; they are read before the store is locked.
  const known = name ? await existingGroup(store, name) : undefined;
  const driver = driverOf(options, known);
  if (known) checkExisting(known, driver, options);
  const kind = creatableKind(driver);
  const settings = await nodeSettings(context, options, { kind, driverOpts: options.driverOpts ?? {} });
  return store.transaction(
    async (transaction) => {
      const existing = name ? await existingGroup(transaction.store, name) : undefined;
      if (!existing && append)
        throw new StoreError(
          "STORE_NO_BUILDER",
          `failed to find instance ${JSON.stringify(name)} for append`,
        );
      if (existing) checkExisting(existing, driver, options);
      const before =
        existing ?? emptyNodeGroup((name ?? (await transaction.freeName())).toLowerCase(), driver);
      // Such an endpoint has the builder's name in it, which may have been found only now.
      const endpoint =
        kind.endpoint === "cluster" && !name
          ? clusterEndpoint(context, { ...options, name: before.name })
          : settings.endpoint;
      const { group, needsRestart } = updateNode(before, { ...settings, endpoint, append });
      await checkNodes(context, before, group, options);
      // What was kept of the builder stays, whatever node is added.
      const keptBefore = existing ? await keptOptions(context, group.name) : {};
      const more = { ...keptBefore, ...kept, ...(options.connect && { connect: options.connect }) };
      // The owner is recorded before the builder is made: a process killed in between leaves no builder without an owner.
      if (kept.ephemeral) await transaction.saveSlipwayOptions(group.name, more);
      await transaction.save(group);
      if (options.connect) await transaction.saveSlipwayOptions(group.name, more);
      if (options.use)
        await transaction.setCurrent({ key: await currentKey(context), name: group.name, global: false });
      return { group, needsRestart };
    },
    options.signal ? { signal: options.signal } : {},
  );
}

/** What is kept of a builder; a broken file counts as nothing, and is written anew. */
export async function keptOptions({ store }: BuilderContext, name: string): Promise<SlipwayOptions> {
  try {
    return await store.slipwayOptions(name);
  } catch (error) {
    store.warn(messageOf(error));
    return {};
  }
}

/** Makes sure that what is new of a builder can work (buildx builder/builder.go Create). */
async function checkNodes(
  context: BuilderContext,
  before: NodeGroup,
  group: NodeGroup,
  { checkMilliseconds, signal }: CreateBuilderOptions,
): Promise<void> {
  for (const node of group.nodes.filter((one) => !before.nodes.includes(one))) {
    let problem: unknown;
    try {
      const kind = driverKind(group.driver);
      kind.check(node);
      // A daemon that somebody else runs need not be there yet.
      if (checkMilliseconds !== undefined && kind.ownsDaemon)
        problem = (
          await loadNodeInfo(new BuilderNode(group, node, context), {
            milliseconds: checkMilliseconds,
            signal,
          })
        ).error;
    } catch (error) {
      problem = error;
    }
    if (problem === undefined) continue;
    if (signal?.aborted) throw abortError(signal);
    const what = `failed to initialize builder ${group.name} (${node.name})`;
    throw new DriverError("DRIVER_UNUSABLE", `${what}: ${messageOf(problem)}`, { cause: problem });
  }
}

/** Takes a node out of a builder (`create --leave`). */
export async function leaveBuilder(
  context: BuilderContext,
  options: { name?: string | undefined; node?: string | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  const { name, node, signal } = options;
  if (!name) throw new InvalidArgumentError("leave requires instance name");
  if (!node) throw new InvalidArgumentError("leave requires node name");
  await context.store.transaction(
    async (transaction) => {
      const group = await context.store.get(name);
      if (!group)
        throw new StoreError("STORE_NO_BUILDER", `failed to find instance ${JSON.stringify(name)} for leave`);
      await transaction.save(leaveNode(group, node));
      await context.store.localState.removeNode(group.name, node);
    },
    signal ? { signal } : {},
  );
}

/** Parses `--driver-opt`: each a comma list of `key=value`; the last of a key wins. */
export function parseDriverOptFlags(texts: readonly string[]): Record<string, string> {
  const options = texts.flatMap(parseCsvFields).map((field) => {
    const at = field.indexOf("=");
    if (at < 0) throw new InvalidArgumentError(`invalid value ${JSON.stringify(field)}, expecting k=v`);
    return [field.slice(0, at), field.slice(at + 1)] as const;
  });
  return Object.fromEntries(options);
}

/** A builder whose file is broken counts as absent: creating it anew repairs it (STO-1). */
async function existingGroup(store: StoreView, name: string): Promise<NodeGroup | undefined> {
  try {
    return await store.get(name);
  } catch (error) {
    if (isSlipwayError(error, "STORE_CORRUPT")) return undefined;
    throw error;
  }
}

/** `BUILDKIT_HOST` names a daemon, where nothing else does (buildx builder/builder.go Create). */
function driverOf(
  { driver, endpoint, buildkitHost }: CreateBuilderOptions,
  existing: NodeGroup | undefined,
): string {
  if (driver || existing) return driver || existing?.driver || "";
  return endpoint === undefined && buildkitHost ? "remote" : defaultDriver;
}

function creatableKind(driver: string): DriverKind {
  const kind = findDriverKind(driver);
  if (kind?.creatable) return kind;
  const why = kind
    ? `every docker context is a builder of the driver ${driver} by itself: see slipway ls`
    : `expecting one of ${creatableDrivers.join(", ")}`;
  throw new DriverError(
    "DRIVER_UNSUPPORTED",
    `slipway cannot create builders with the driver ${JSON.stringify(driver)}: ${why}`,
  );
}

function checkExisting(group: NodeGroup, driver: string, options: CreateBuilderOptions): void {
  if (!options.node && !options.append)
    throw new StoreError(
      "STORE_REFUSED",
      `existing instance for ${JSON.stringify(group.name)} but no append mode, specify the node name to make changes for existing instances`,
    );
  if (driver !== group.driver)
    throw new StoreError(
      "STORE_REFUSED",
      `existing instance for ${JSON.stringify(group.name)} but has mismatched driver ${JSON.stringify(group.driver)}`,
    );
}
