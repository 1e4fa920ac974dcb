import { type Environment, listDockerContexts } from "../config/index.js";
import {
  type EventSink,
  InvalidArgumentError,
  messageOf,
  readOptions,
  withGuardedEvents,
  withGuardedWarnings,
} from "../core/index.js";
import { bootNode } from "../driver/index.js";
import { type BuilderContext, openBuilderContext } from "./builder-context.js";
import { BuilderNode } from "./builder-node.js";
import type { EnsureBuilderOptions } from "./ensure-builder.js";
import type { EphemeralBuilderOptions } from "./ephemeral.js";
import { checkContextBuilder, resolveBuilder } from "./current-builder.js";
import type { CreateBuilderOptions } from "./create-options.js";
import { type NodeGroup, contextNodeGroup } from "./node-group.js";
import { type NodeInfo, loadNodeInfo } from "./node-info.js";
import {
  bootKinds,
  createKinds,
  ensureKinds,
  ephemeralKinds,
  inspectKinds,
  listKinds,
  openKinds,
  removeKinds,
  stopKinds,
} from "./option-kinds.js";
import type { RemoveBuilderOptions } from "./remove-builder.js";
import type { BuilderStore } from "./store.js";

/** Options of {@link Builder.open}. */
export interface OpenBuilderOptions {
  /** Default: `BUILDX_BUILDER`, else the current builder. */
  name?: string | undefined;
  /** Default `process.env`. */
  env?: Environment | undefined;
  /** Told what was found broken in the store and worked around. */
  onWarning?: ((text: string) => unknown) | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of {@link Builder.list}. */
export type ListBuildersOptions = Omit<OpenBuilderOptions, "name">;

/** Options of {@link Builder.create}. */
export interface NewBuilderOptions extends Omit<CreateBuilderOptions, "buildkitHost" | "checkMilliseconds"> {
  /** Default `process.env`. */
  env?: Environment | undefined;
  /** Told what was found broken in the store and worked around. */
  onWarning?: ((text: string) => unknown) | undefined;
}

/** Marks builders of any copy of this library: of `import` and of `require`, of two bundles. */
const brand = Symbol.for("slipway.builder");

/** True of a builder, also of another copy of this library. */
export function isBuilder(value: unknown): value is Builder {
  return typeof value === "object" && value !== null && brand in value;
}

/**
 * A builder of the store, or a docker context's own, with its nodes. Nothing is contacted before a node's driver is
 * used.
 */
export class Builder {
  readonly group: NodeGroup;
  readonly nodes: readonly BuilderNode[];
  readonly #context: BuilderContext;

  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  /** @internal */
  constructor(group: NodeGroup, context: BuilderContext) {
    this.group = group;
    this.#context = context;
    this.nodes = group.nodes.map((node) => new BuilderNode(group, node, context));
  }

  /**
   * Finds a builder by its name, or the current one.
   *
   * @throws StoreError when there is none of that name, or its file is broken.
   */
  static async open(given: OpenBuilderOptions = {}): Promise<Builder> {
    const options = readOptions("Builder.open()", given, openKinds);
    return withGuardedWarnings(options.onWarning, async (onWarning) => {
      const context = await openBuilderContext({ ...options, onWarning });
      const name = options.name || context.env["BUILDX_BUILDER"];
      const group = await resolveBuilder(context.store, {
        ...context,
        ...(name && { name }),
        ...(options.signal && { signal: options.signal }),
      });
      if (!name) checkContextBuilder(group, context);
      return new Builder(group, context);
    });
  }

  /**
   * All builders: those of the store by name, then those that docker contexts are. Asks no engine. What is broken in the store
   * is told to `onWarning` and left out.
   */
  static async list(given: ListBuildersOptions = {}): Promise<Builder[]> {
    const options = readOptions("Builder.list()", given, listKinds);
    return withGuardedWarnings(options.onWarning, (onWarning) => listBuilders({ ...options, onWarning }));
  }

  /**
   * Makes a builder, as `create` does; with `node` or `append` it changes one. Nothing is booted; the first build does that.
   *
   * @throws StoreError `STORE_REFUSED` when there is one of that name, DriverError for an option that the driver does not have.
   */
  static async create(given: NewBuilderOptions = {}): Promise<Builder> {
    const { env, onWarning, ...options } = readOptions("Builder.create()", given, createKinds);
    return withGuardedWarnings(onWarning, async (warn) => {
      const context = await openBuilderContext({ env, onWarning: warn, signal: options.signal });
      // A build needs none of what makes and removes builders.
      const { createBuilder } = await import("./create-builder.js");
      return new Builder((await createBuilder(context, options)).group, context);
    });
  }

  /**
   * Finds the builder of a name, or makes it. Nothing is booted; the first build does that.
   *
   * @throws StoreError `STORE_REFUSED` when there is one that differs and `onMismatch` is `error`.
   */
  static async ensure(given: EnsureBuilderOptions): Promise<Builder> {
    const options = readOptions("Builder.ensure()", given, ensureKinds);
    if (options.name === undefined) throw new InvalidArgumentError("Builder.ensure() needs the option name");
    const context = await openBuilderContext({ env: options.env, signal: options.signal });
    const { ensureBuilder } = await import("./ensure-builder.js");
    return new Builder(await ensureBuilder(context, options), context);
  }

  /**
   * Makes a builder of a random name that goes with this process: at the end of an `await using`, by `close()`, or, when the
   * process ends without that, as soon as another one is made on the same engine and machine. It is not booted.
   *
   * @throws EngineError when the engine cannot be asked what others have left. The store is then as before.
   */
  static async ephemeral(given: EphemeralBuilderOptions = {}): Promise<EphemeralBuilder> {
    const options = readOptions("Builder.ephemeral()", given, ephemeralKinds);
    return withGuardedWarnings(
      options.onWarning,
      async (onWarning) => {
        const context = await openBuilderContext({ ...options, onWarning });
        const { createEphemeral } = await import("./ephemeral.js");
        return new EphemeralBuilder(await createEphemeral(context, options), context);
      },
      (builder) => builder.close(),
    );
  }

  get name(): string {
    return this.group.name;
  }

  /** Driver name. A docker context's own builder is the engine's, `docker`. */
  get driver(): string {
    return this.group.driver || "docker";
  }

  /** Notes in the store that the builder is used. */
  async touch(): Promise<void> {
    await this.#context.store.touch(this.name);
  }

  /** Asks the nodes for their state, side by side, without booting them. */
  async inspect(options: { milliseconds?: number; signal?: AbortSignal } = {}): Promise<NodeInfo[]> {
    const { milliseconds = 20_000, signal } = readOptions("inspect()", options, inspectKinds);
    return Promise.all(this.nodes.map((node) => loadNodeInfo(node, { milliseconds, signal })));
  }

  /** Makes all nodes run, side by side; the first build would otherwise do that for those it needs. */
  async boot(options: { onEvent?: EventSink; signal?: AbortSignal } = {}): Promise<void> {
    const { onEvent, signal } = readOptions("boot()", options, bootKinds);
    await withGuardedEvents(onEvent, async (sink) => {
      const boots = this.nodes.map(async (node) => {
        const driver = await node.openDriver();
        try {
          await bootNode(driver, { sink, signal });
        } finally {
          await driver.close();
        }
      });
      const failed = (await Promise.allSettled(boots)).find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
    });
  }

  /** Stops the nodes; their cache stays, and the next build boots them again. */
  async stop(given: { signal?: AbortSignal } = {}): Promise<void> {
    const options = readOptions("stop()", given, stopKinds);
    let failed: { error: unknown } | undefined;
    for (const node of this.nodes)
      try {
        const driver = await node.openDriver();
        try {
          await driver.stop(options);
        } finally {
          await driver.close();
        }
      } catch (error) {
        // The others can be stopped all the same.
        failed ??= { error };
        if (options.signal?.aborted) break;
      }
    if (failed) throw failed.error;
  }

  /** Removes the builder's containers, its state unless kept, and its entry in the store. */
  async remove(options: RemoveBuilderOptions = {}): Promise<void> {
    const given = readOptions("remove()", options, removeKinds);
    const { removeBuilder } = await import("./remove-builder.js");
    await removeBuilder(this.#context, this.name, given);
  }

  /** @internal */
  get store(): BuilderStore {
    return this.#context.store;
  }
}

/** A builder of {@link Builder.ephemeral}. */
export class EphemeralBuilder extends Builder implements AsyncDisposable {
  readonly #remove: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(group: NodeGroup, context: BuilderContext) {
    super(group, context);
    this.#remove = async () => {
      const { removeEphemeral } = await import("./ephemeral.js");
      await removeEphemeral(context, group.name);
    };
  }

  /**
   * Removes container, cache and the entry in the store; further calls do nothing more.
   *
   * @throws SlipwayError `BUILDER_REMOVE` with what could not be removed; that goes when the next one is made after this process.
   */
  close(): Promise<void> {
    this.#closing ??= this.#remove();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function listBuilders(options: ListBuildersOptions): Promise<Builder[]> {
  const context = await openBuilderContext(options);
  const stored = await context.store.list();
  for (const entry of stored) if ("error" in entry) options.onWarning?.(messageOf(entry.error));
  const names = new Set(stored.map(({ name }) => name));
  const contexts = await listDockerContexts(context.env, context.config);
  const groups = [
    ...stored.flatMap((entry) => ("group" in entry ? [entry.group] : [])),
    ...contexts
      .map(({ contextName }) => contextName)
      .filter((name) => !names.has(name))
      .map(contextNodeGroup),
  ];
  return groups.map((group) => new Builder(group, context));
}
