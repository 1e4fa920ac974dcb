import { resolve } from "node:path";
import {
  Builder,
  type BuilderNode,
  openBuilderContext,
  type AddressTls,
  type Driver,
  dialAddress,
} from "../builder/index.js";
import { BuildkitClient, localWindows, remoteWindows, requireSupportedVersion } from "../buildkit/index.js";
import { type DockerConfig, type Environment } from "../config/index.js";
import {
  type Dial,
  type EventSink,
  InvalidArgumentError,
  SlipwayError,
  isSlipwayError,
} from "../core/index.js";
import type { BuildOptions } from "./build-options.js";
import type { BuildResult } from "./build-result.js";
import type { SolvePlan } from "./plan.js";
import { runBuild } from "./run-build.js";

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

/** Makes the builder run if it does not, and connects to it. Close the connection when done. */
export async function connect(target: ConnectTarget = {}): Promise<Connection> {
  const env = target.env ?? process.env;
  const ways = [target.builder, target.address, target.dial].filter((way) => way !== undefined);
  if (ways.length > 1) throw new InvalidArgumentError("give one of builder, address and dial");
  const { config, store } = await openBuilderContext({ env });
  const place = await openPlace(target, env);
  try {
    const client = await place.connect(target);
    return new WarmConnection(place, client, env, config, (await store.nodeIdentifier()) ?? "");
  } catch (error) {
    await place.close();
    throw error;
  }
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

async function openPlace(target: ConnectTarget, env: Environment): Promise<Place> {
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
  const [node] = builder.nodes;
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
      const { version } = await client.info({ signal });
      if (version !== undefined) requireSupportedVersion(version);
      return client;
    },
    close: () => driver.close(),
  };
}

class WarmConnection implements Connection {
  readonly #place: Place;
  readonly #client: BuildkitClient;
  readonly #env: Environment;
  readonly #dockerConfig: DockerConfig;
  readonly #nodeId: string;

  constructor(
    place: Place,
    client: BuildkitClient,
    env: Environment,
    dockerConfig: DockerConfig,
    nodeId: string,
  ) {
    this.#place = place;
    this.#client = client;
    this.#env = env;
    this.#dockerConfig = dockerConfig;
    this.#nodeId = nodeId;
  }

  async build(options: ConnectionBuildOptions): Promise<BuildResult> {
    const place = this.#place;
    try {
      return await runBuild(options, {
        node: { ...place, client: this.#client },
        env: options.env ?? this.#env,
        dockerConfig: this.#dockerConfig,
        engineHost: place.engineHost,
        nodeId: this.#nodeId,
        defaultLoad: place.driver?.features.defaultLoad ?? false,
        describe: options.describe ?? true,
        saveRef: place.saveRef,
      });
    } catch (error) {
      throw await this.#explain(error, options.signal);
    } finally {
      options.onEvent?.({ type: "end" });
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
