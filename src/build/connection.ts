import { resolve } from "node:path";
import { type Builder, openBuilderContext } from "../builder/index.js";
import type { AddressTls } from "../driver/index.js";
import type { Environment } from "../config/index.js";
import {
  type BuildEvent,
  type Dial,
  type EventSink,
  InvalidArgumentError,
  type Kinds,
  flag,
  guardEvents,
  isSlipwayError,
  readOptions,
} from "../core/index.js";
import { type BuildError, failedEnd } from "./build-error.js";
import { BuildResources } from "./build-resources.js";
import { buildOnNodes } from "./build-on-nodes.js";
import type { PlanChange } from "./build.js";
import type { BuildOptions } from "./build-options.js";
import type { BuildResult } from "./build-result.js";
import { holdOutputs } from "./caller-streams.js";
import { readBuildOptions } from "./check-options.js";
import {
  buildCallKinds,
  buildKinds,
  connectKinds,
  connectionOpenKinds,
  openCallKinds,
} from "./option-kinds.js";
import type { Look, OpenResult, OpenResultOptions } from "./live/open-result.js";
import { type NodePool, type NodesTarget, openNodes } from "./node-pool.js";
import { type PlanFacts, type SolvePlan, planBuild, planLaterOutputs } from "./solve-plan.js";

/** Where builds run: a builder, or a buildkitd by its address or any way of dialling it. The current builder if none is given. */
export interface ConnectTarget {
  /** A builder's name, or a builder. */
  builder?: string | Builder;
  /**
   * Where a buildkitd is: `unix:///path`, `tcp://host:port`, `ssh://user@host` (which runs `buildctl dial-stdio` there),
   * `docker-container://name` or `npipe:////./pipe/name`. The socket of an engine of API 1.53 or later is one as well.
   */
  address?: string;
  /** TLS for an `address` of the form `tcp://host:port`. */
  tls?: AddressTls;
  /** Any way to a buildkitd. */
  dial?: Dial;
  /** Environment to read; default `process.env`. */
  env?: Environment;
  /** Gets the boot of a builder that does not run yet. */
  onEvent?: EventSink;
  signal?: AbortSignal;
}

/**
 * A warm connection: the builder is up, and builds start at once. Builds may run side by side on it. Of several nodes
 * only the first is started; a build starts the others when it needs them. A lost connection, as after a restart of the
 * builder, is made again for the next build; a `message` event tells of it.
 */
export interface Connection extends AsyncDisposable {
  /** Builds on the connected builder; see `build()`. */
  build(options: ConnectionBuildOptions): Promise<BuildResult>;
  /** Builds, and keeps the result in the builder, to be looked into and run in; see `openResult()`. */
  openResult(options: ConnectionBuildOptions & OpenResultOptions): Promise<OpenResult>;
  /** Ends the connection. Idempotent; builds that still run fail. */
  close(): Promise<void>;
}

/** Options of {@link Connection.build}. */
export type ConnectionBuildOptions = BuildOptions & {
  /** Read the image's manifests afterwards, for the result's platforms and layers. Default true. */
  describe?: boolean;
};

/** Where several builds run: a place to connect to, or a connection that is there, and stays. */
export type PlaceTarget = NodesTarget & { connection?: Connection | undefined };

/** See `connect()` in connect.ts. */
export async function openConnection(given: ConnectTarget = {}): Promise<Connection> {
  const target = readOptions("connect()", given, connectKinds);
  const events = guardEvents(target.onEvent);
  const prepared = await prepare(target);
  try {
    const connection = await prepared.open({ ...target, ...(events && { onEvent: events.sink }) });
    events?.throwIfFailed();
    return connection;
  } catch (error) {
    await prepared.close();
    throw error;
  }
}

/**
 * Builds once: plans, connects, builds, closes. The plan comes first, so that a wrong option fails before anything is booted or
 * dialled.
 */
export async function buildOnce(
  given: ConnectTarget & ConnectionBuildOptions,
  look?: Look,
  change?: PlanChange,
): Promise<BuildResult> {
  holdOutputs(given);
  return withGuardedEvents(given, (options) =>
    connectedOnce({ ...once.build, change }, options, (connection, plan, read, close) =>
      connection.execute(plan, read, close, look),
    ),
  );
}

/** See `openResult()` in open-result.ts. */
export async function openOnce(
  given: ConnectTarget & ConnectionBuildOptions & OpenResultOptions,
): Promise<OpenResult> {
  return withGuardedEvents(given, (options) =>
    connectedOnce(once.open, withoutOutput(options), (connection, plan, read, close) =>
      connection.open(plan, read, close),
    ),
  );
}

/** Runs a build whose `onEvent` may throw; what it threw is thrown when a build that has not failed itself is over. */
async function withGuardedEvents<T extends { onEvent?: EventSink }, R>(
  options: T,
  run: (options: T) => Promise<R>,
): Promise<R> {
  const events =
    typeof (options as T | null | undefined)?.onEvent === "function"
      ? guardEvents(options.onEvent)
      : undefined;
  const result = await run(events ? { ...options, onEvent: events.sink } : options);
  events?.throwIfFailed();
  return result;
}

/** What is done once, on a connection of its own; `keeps` says that what it gives needs the connection. */
interface Once {
  name: string;
  kinds: Kinds;
  keeps: boolean;
  change?: PlanChange | undefined;
}

const once = {
  build: { name: "build()", kinds: buildCallKinds, keeps: false },
  open: { name: "openResult()", kinds: openCallKinds, keeps: true },
} satisfies Record<string, Once>;

/** Runs one thing on a connection of its own, which is closed afterwards, or when what is kept of the build is closed. */
async function connectedOnce<T extends ConnectTarget & ConnectionBuildOptions & OpenResultOptions, R>(
  { name, kinds, keeps, change }: Once,
  given: T,
  run: (connection: WarmConnection, plan: SolvePlan, options: T, close: () => Promise<void>) => Promise<R>,
): Promise<R> {
  let prepared: Prepared | undefined;
  let end: BuildEvent = { type: "end" };
  let isKept = false;
  try {
    const options = readBuildOptions(name, given, kinds);
    const affinity = typeof options.context === "string" ? resolve(options.context) : undefined;
    const opened = (prepared = await prepare({ ...options, affinity }));
    const planned = await planBuild(options, { ...opened.facts, signal: options.signal });
    const plan = change ? await change(planned) : planned;
    const connection = await opened.opening(options);
    const result = await run(connection, plan, options, () => opened.close());
    isKept = keeps;
    return result;
  } catch (error) {
    end = failedEnd(error);
    isKept = isKeptFailure(error);
    throw error;
  } finally {
    if (!isKept) await prepared?.close();
    tellEnd(given, end);
  }
}

/** Where builds are loaded unless they say otherwise, a result that is kept says so. */
function withoutOutput<T extends BuildOptions>(options: T): T {
  return options.outputs === undefined ? { ...options, outputs: [{ type: "cacheonly" }] } : options;
}

/** What of a failed build is kept needs its connection. */
function isKeptFailure(error: unknown): boolean {
  return isSlipwayError(error, "BUILD_FAILED") && (error as BuildError).files !== undefined;
}

const connectionBuildKinds = { ...buildKinds, describe: flag };

/** The last event, also of a build whose options are refused, of which that for events may be one. */
function tellEnd(given: { onEvent?: EventSink }, end: BuildEvent): void {
  if (typeof (given as typeof given | null | undefined)?.onEvent === "function") given.onEvent?.(end);
}

/** A place to build at, before anything is dialled. */
export interface Prepared {
  facts: Omit<PlanFacts, "signal">;
  nodes: NodePool;
  open(options: Pick<ConnectTarget, "onEvent" | "signal">): Promise<WarmConnection>;
  /** The same while the connection is still being made, which the builds on it wait for. */
  opening(options: Pick<ConnectTarget, "onEvent" | "signal">): Promise<WarmConnection>;
  /** Closes what was opened. Idempotent. */
  close(): Promise<void>;
}

/** Finds where to build, and what plans must know of it. */
export async function prepare(target: PlaceTarget): Promise<Prepared> {
  if (target.connection) return WarmConnection.preparedOf(target.connection, target.env);
  const env = target.env ?? process.env;
  const ways = [target.builder, target.address, target.dial].filter((way) => way !== undefined);
  if (ways.length > 1) throw new InvalidArgumentError("give one of builder, address and dial");
  const { config, store } = await openBuilderContext({ env, signal: target.signal });
  const nodes = await openNodes(target, { env, dockerConfig: config });
  const { driver, engine } = nodes.first;
  const facts = {
    env,
    dockerConfig: config,
    engineHost: engine?.endpoint.host,
    nodeId: (await store.nodeIdentifier()) ?? "",
    driverName: driver.name,
    defaultLoad: driver.features.defaultLoad,
    engineStore: driver.features.engineStore,
  };
  return {
    facts,
    nodes,
    async open(options) {
      // The others of several nodes are connected to when it is known that a build needs them.
      await nodes.connect(nodes.firstIndex, options);
      return new WarmConnection(nodes, facts);
    },
    async opening(options) {
      const connecting = nodes.connect(nodes.firstIndex, options);
      // Of several, another may be asked to build when this one cannot.
      if (nodes.size > 1) await connecting;
      else connecting.catch(() => {});
      return new WarmConnection(nodes, facts);
    },
    close: () => nodes.close(),
  };
}

class WarmConnection implements Connection {
  readonly #nodes: NodePool;
  readonly #facts: Omit<PlanFacts, "signal">;

  constructor(nodes: NodePool, facts: Omit<PlanFacts, "signal">) {
    this.#nodes = nodes;
    this.#facts = facts;
  }

  /** The place of a connection, for what is done on it; that closes nothing. */
  static preparedOf(connection: Connection, env: Environment | undefined): Prepared {
    if (!(connection instanceof WarmConnection))
      throw new InvalidArgumentError("the connection must be one that connect() has made");
    const nodes = connection.#nodes;
    const open = async (options: Pick<ConnectTarget, "onEvent" | "signal">) => {
      await nodes.connect(nodes.firstIndex, options);
      return connection;
    };
    return {
      facts: { ...connection.#facts, ...(env && { env }) },
      nodes,
      open,
      opening: open,
      close: () => Promise.resolve(),
    };
  }

  async build(given: ConnectionBuildOptions): Promise<BuildResult> {
    holdOutputs(given);
    return withGuardedEvents(given, (options) =>
      this.#run("a connection's build()", options, connectionBuildKinds, (plan, read) =>
        this.execute(plan, read),
      ),
    );
  }

  async openResult(given: ConnectionBuildOptions & OpenResultOptions): Promise<OpenResult> {
    return withGuardedEvents(given, (options) =>
      this.#run("a connection's openResult()", withoutOutput(options), connectionOpenKinds, (plan, read) =>
        this.open(plan, read),
      ),
    );
  }

  async #run<T extends ConnectionBuildOptions, R>(
    name: string,
    given: T,
    kinds: Kinds,
    run: (plan: SolvePlan, options: T) => Promise<R>,
  ): Promise<R> {
    let end: BuildEvent = { type: "end" };
    try {
      const options = readBuildOptions(name, given, kinds);
      const facts = { ...this.#facts, ...(options.env && { env: options.env }) };
      return await run(await planBuild(options, { ...facts, signal: options.signal }), options);
    } catch (error) {
      end = failedEnd(error);
      throw error;
    } finally {
      tellEnd(given, end);
    }
  }

  /** Runs a plan that was made with this connection's facts. `onClosed` is called when what is kept of a failure is let go of. */
  async execute(
    plan: SolvePlan,
    options: ConnectionBuildOptions,
    onClosed: () => Promise<void> = () => Promise.resolve(),
    look?: Look,
  ): Promise<BuildResult> {
    const context = this.#context(options);
    const { resources } = context;
    if (look && !plan.call) {
      const { buildLooking } = await import("./live/open-result.js");
      return buildLooking(plan, context, {
        look,
        keepFailure: options.onFailure === "keep",
        onClosed: () => resources.close().then(onClosed),
      });
    }
    if (options.onFailure === "keep") {
      const { buildKeeping } = await import("./live/open-result.js");
      return buildKeeping(plan, context, () => resources.close().then(onClosed));
    }
    try {
      return await buildOnNodes(plan, context);
    } finally {
      await resources.close();
    }
  }

  /** Runs a plan that was made with this connection's facts, and keeps what it made. */
  async open(
    plan: SolvePlan,
    options: ConnectionBuildOptions & OpenResultOptions,
    onClosed: () => Promise<void> = () => Promise.resolve(),
  ): Promise<OpenResult> {
    if (plan.exports.length > 0 || plan.call)
      throw new InvalidArgumentError(
        "openResult() keeps the result in the builder: outputs, load, push and call belong to build()",
      );
    const { openPlan } = await import("./live/open-result.js");
    const context = this.#context(options);
    return openPlan({ ...plan, noOutput: false }, context, {
      ...(options.idleMilliseconds !== undefined && { idleMilliseconds: options.idleMilliseconds }),
      keepFailure: options.onFailure === "keep",
      planOutputs: (outputs, tags = options.tags ?? []) =>
        planLaterOutputs({ ...options, outputs, tags, push: false, load: false }, context.resources),
      onClosed: () => context.resources.close().then(onClosed),
    });
  }

  #context({ describe = true, env = this.#facts.env, onEvent: sink, signal }: ConnectionBuildOptions) {
    const resources = new BuildResources({ env, dockerConfig: this.#facts.dockerConfig, describe });
    return { nodes: this.#nodes, resources, sink, signal };
  }

  close(): Promise<void> {
    return this.#nodes.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
