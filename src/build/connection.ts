import { resolve } from "node:path";
import {
  Builder,
  type BuilderNode,
  openBuilderContext,
  type AddressTls,
  type Driver,
  dialAddress,
  pickNode,
} from "../builder/index.js";
import { BuildkitClient, localWindows, remoteWindows, requireSupportedVersion } from "../buildkit/index.js";
import type { Environment } from "../config/index.js";
import {
  type Dial,
  type EventSink,
  InvalidArgumentError,
  SlipwayError,
  isSlipwayError,
} from "../core/index.js";
import type { BuildOptions } from "./build-options.js";
import type { BuildResult } from "./build-result.js";
import { type PlanFacts, type SolvePlan, planBuild } from "./plan.js";
import { executePlan } from "./run-build.js";

/** Where builds run: a builder, or a buildkitd by its address or any way of dialling it. The current builder if none is given. */
export interface ConnectTarget {
  /** A builder's name, or a builder. */
  builder?: string | Builder;
  /** `unix:///path` or `tcp://host:port` of a buildkitd. */
  address?: string;
  /** TLS for `address`. */
  tls?: AddressTls;
  /** Any way to a buildkitd. */
  dial?: Dial;
  /** Environment to read; default `process.env`. */
  env?: Environment;
  /** Gets the boot of a builder that does not run yet. */
  onEvent?: EventSink;
  signal?: AbortSignal;
}

/** A warm connection: the builder is up, and builds start at once. Builds may run side by side on it. */
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
export async function openConnection(target: ConnectTarget = {}): Promise<Connection> {
  const prepared = await prepare(target);
  try {
    return await prepared.open(target);
  } catch (error) {
    await prepared.close();
    throw error;
  }
}

/**
 * Builds once: plans, connects, builds, closes. The plan comes first, so that a wrong option fails before anything is booted or
 * dialled.
 */
export async function buildOnce(options: ConnectTarget & ConnectionBuildOptions): Promise<BuildResult> {
  const prepared = await prepare(options);
  try {
    const plan = await planBuild(options, { ...prepared.facts, signal: options.signal });
    const connection = await prepared.open(options);
    return await connection.execute(plan, options);
  } finally {
    await prepared.close();
    options.onEvent?.({ type: "end" });
  }
}

/** A place to build at, before anything is dialled. */
interface Prepared {
  facts: Omit<PlanFacts, "signal">;
  open(options: Pick<ConnectTarget, "onEvent" | "signal">): Promise<WarmConnection>;
  /** Closes what was opened. Idempotent. */
  close(): Promise<void>;
}

async function prepare(target: ConnectTarget & { platforms?: readonly string[] }): Promise<Prepared> {
  const env = target.env ?? process.env;
  const ways = [target.builder, target.address, target.dial].filter((way) => way !== undefined);
  if (ways.length > 1) throw new InvalidArgumentError("give one of builder, address and dial");
  const { config, store } = await openBuilderContext({ env });
  const place = await openPlace(target, env);
  const facts = {
    env,
    dockerConfig: config,
    engineHost: place.engineHost,
    nodeId: (await store.nodeIdentifier()) ?? "",
    defaultLoad: place.driver?.features.defaultLoad ?? false,
  };
  let connection: WarmConnection | undefined;
  return {
    facts,
    async open(options) {
      const client = await place.connect(options);
      return (connection = new WarmConnection(place, client, facts));
    },
    async close() {
      await (connection ?? place).close();
    },
  };
}

/** Where a connection leads. */
interface Place {
  builderName: string;
  nodeName: string;
  driverName: string;
  engineHost?: string | undefined;
  driver?: Driver;
  saveRef?: (plan: SolvePlan) => Promise<void>;
  connect(options: Pick<ConnectTarget, "onEvent" | "signal">): Promise<BuildkitClient>;
  close(): Promise<void>;
}

async function openPlace(
  target: ConnectTarget & { platforms?: readonly string[] },
  env: Environment,
): Promise<Place> {
  const dial =
    target.dial ?? (target.address === undefined ? undefined : dialAddress(target.address, target.tls));
  if (dial) {
    const windows = target.address?.startsWith("tcp:") ? remoteWindows : localWindows;
    return {
      builderName: "remote",
      nodeName: "remote0",
      driverName: "remote",
      async connect({ signal }) {
        const client = await BuildkitClient.connect(dial, { windows, signal });
        try {
          await client.info({ signal });
          return client;
        } catch (error) {
          await client.close();
          throw error;
        }
      },
      close: () => Promise.resolve(),
    };
  }
  const builder =
    target.builder instanceof Builder
      ? target.builder
      : await Builder.open({ name: target.builder, env, signal: target.signal });
  const node = pickNode(builder, target.platforms ?? []);
  if (!node) throw new InvalidArgumentError(`builder ${builder.name} has no nodes`);
  return nodePlace(builder, node);
}

async function nodePlace(builder: Builder, node: BuilderNode): Promise<Place> {
  const driver = await node.openDriver();
  const { host } = await node.endpoint();
  return {
    builderName: builder.name,
    nodeName: node.name,
    driverName: builder.driver,
    engineHost: host,
    driver,
    async saveRef({ ref, attrs, inputs }) {
      const { localState } = builder.store;
      const { contextDirectory = attrs["context"] ?? "", dockerfilePath } = inputs;
      // Only a help for `history`; a store that cannot be written does not keep anyone from building.
      await localState
        .saveRef(builder.name, node.name, ref, {
          target: "default",
          localPath: contextDirectory,
          dockerfilePath: inputs.contextDirectory === undefined ? dockerfilePath : resolve(dockerfilePath),
        })
        .catch(() => {});
    },
    async connect({ onEvent, signal }) {
      onEvent?.({ type: "start", builder: builder.name, driver: builder.driver });
      await builder.touch();
      const client = await driver.connect({ sink: onEvent, signal });
      try {
        requireSupportedVersion((await client.info({ signal })).version);
        return client;
      } catch (error) {
        await client.close();
        throw error;
      }
    },
    close: () => driver.close(),
  };
}

class WarmConnection implements Connection {
  readonly #place: Place;
  readonly #client: BuildkitClient;
  readonly #facts: Omit<PlanFacts, "signal">;

  constructor(place: Place, client: BuildkitClient, facts: Omit<PlanFacts, "signal">) {
    this.#place = place;
    this.#client = client;
    this.#facts = facts;
  }

  async build(options: ConnectionBuildOptions): Promise<BuildResult> {
    try {
      const facts = { ...this.#facts, ...(options.env && { env: options.env }) };
      return await this.execute(await planBuild(options, { ...facts, signal: options.signal }), options);
    } finally {
      options.onEvent?.({ type: "end" });
    }
  }

  /** Runs a plan that was made with this connection's facts. */
  async execute(plan: SolvePlan, options: ConnectionBuildOptions): Promise<BuildResult> {
    const place = this.#place;
    try {
      return await executePlan(plan, options, {
        ...this.#facts,
        ...(options.env && { env: options.env }),
        node: { ...place, client: this.#client },
        describe: options.describe ?? true,
        saveRef: place.saveRef,
      });
    } catch (error) {
      throw await this.#explain(error, options.signal);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
    await this.#place.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Says what became of the builder when the connection to it was lost (FLT-1 to FLT-5). */
  async #explain(error: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    const isLost = isSlipwayError(error, "BUILDKIT_CONNECTION_LOST") || isSlipwayError(error, "SESSION_LOST");
    if (!isLost || !this.#place.driver || signal?.aborted) return error;
    const diagnosis = await this.#place.driver.diagnose();
    return diagnosis === undefined ? error : new SlipwayError("BUILDER_LOST", diagnosis, { cause: error });
  }
}
