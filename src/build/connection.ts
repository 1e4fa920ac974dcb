import { resolve } from "node:path";
import { type AddressTls, type Builder, openBuilderContext } from "../builder/index.js";
import type { Environment } from "../config/index.js";
import {
  type BuildEvent,
  type Dial,
  type EventSink,
  InvalidArgumentError,
  flag,
  guardEvents,
  readOptions,
} from "../core/index.js";
import { failedEnd } from "./build-error.js";
import { BuildResources } from "./build-resources.js";
import { buildOnNodes } from "./build-on-nodes.js";
import type { BuildOptions } from "./build-options.js";
import type { BuildResult } from "./build-result.js";
import { holdOutputs } from "./caller-streams.js";
import { readBuildOptions } from "./check-options.js";
import { buildCallKinds, buildKinds, connectKinds } from "./option-kinds.js";
import { type NodePool, type NodesTarget, openNodes } from "./node-pool.js";
import { type PlanFacts, type SolvePlan, planBuild } from "./solve-plan.js";

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
  /** Ends the connection. Idempotent; builds that still run fail. */
  close(): Promise<void>;
}

/** Options of {@link Connection.build}. */
export type ConnectionBuildOptions = BuildOptions & {
  /** Read the image's manifests afterwards, for the result's platforms and layers. Default true. */
  describe?: boolean;
};

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
export async function buildOnce(given: ConnectTarget & ConnectionBuildOptions): Promise<BuildResult> {
  holdOutputs(given);
  return withGuardedEvents(given, buildGuarded);
}

/** Runs a build whose `onEvent` may throw; what it threw is thrown when a build that has not failed itself is over. */
async function withGuardedEvents<T extends { onEvent?: EventSink }>(
  options: T,
  run: (options: T) => Promise<BuildResult>,
): Promise<BuildResult> {
  const events =
    typeof (options as T | null | undefined)?.onEvent === "function"
      ? guardEvents(options.onEvent)
      : undefined;
  const result = await run(events ? { ...options, onEvent: events.sink } : options);
  events?.throwIfFailed();
  return result;
}

async function buildGuarded(given: ConnectTarget & ConnectionBuildOptions): Promise<BuildResult> {
  let prepared: Prepared | undefined;
  let end: BuildEvent = { type: "end" };
  try {
    const options = readBuildOptions("build()", given, buildCallKinds);
    const affinity = typeof options.context === "string" ? resolve(options.context) : undefined;
    prepared = await prepare({ ...options, affinity });
    const plan = await planBuild(options, { ...prepared.facts, signal: options.signal });
    const connection = await prepared.open(options);
    return await connection.execute(plan, options);
  } catch (error) {
    end = failedEnd(error);
    throw error;
  } finally {
    await prepared?.close();
    tellEnd(given, end);
  }
}

const connectionBuildKinds = { ...buildKinds, describe: flag };

/** The last event, also of a build whose options are refused, of which that for events may be one. */
function tellEnd(given: { onEvent?: EventSink }, end: BuildEvent): void {
  if (typeof (given as typeof given | null | undefined)?.onEvent === "function") given.onEvent?.(end);
}

/** A place to build at, before anything is dialled. */
interface Prepared {
  facts: Omit<PlanFacts, "signal">;
  open(options: Pick<ConnectTarget, "onEvent" | "signal">): Promise<WarmConnection>;
  /** Closes what was opened. Idempotent. */
  close(): Promise<void>;
}

async function prepare(target: NodesTarget): Promise<Prepared> {
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
    async open(options) {
      // The others of several nodes are connected to when it is known that a build needs them.
      await nodes.connect(nodes.firstIndex, options);
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

  async build(given: ConnectionBuildOptions): Promise<BuildResult> {
    holdOutputs(given);
    return withGuardedEvents(given, (options) => this.#build(options));
  }

  async #build(given: ConnectionBuildOptions): Promise<BuildResult> {
    let end: BuildEvent = { type: "end" };
    try {
      const options = readBuildOptions("a connection's build()", given, connectionBuildKinds);
      const facts = { ...this.#facts, ...(options.env && { env: options.env }) };
      return await this.execute(await planBuild(options, { ...facts, signal: options.signal }), options);
    } catch (error) {
      end = failedEnd(error);
      throw error;
    } finally {
      tellEnd(given, end);
    }
  }

  /** Runs a plan that was made with this connection's facts. */
  async execute(plan: SolvePlan, options: ConnectionBuildOptions): Promise<BuildResult> {
    const { describe = true, onEvent: sink, signal } = options;
    const env = options.env ?? this.#facts.env;
    await using resources = new BuildResources({ env, dockerConfig: this.#facts.dockerConfig, describe });
    return await buildOnNodes(plan, { nodes: this.#nodes, resources, sink, signal });
  }

  close(): Promise<void> {
    return this.#nodes.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
