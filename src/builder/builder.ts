import {
  type DockerConfig,
  type DockerEndpoint,
  type Environment,
  loadDockerConfig,
  resolveDockerEndpoint,
} from "../config/index.js";
import { isSlipwayError } from "../core/index.js";
import { type ConnectMode, type Driver, DriverError, openDriver } from "../driver/index.js";
import { dockerCredentials, engineAuth } from "../registry/index.js";
import { checkContextBuilder, resolveBuilder } from "./current-builder.js";
import type { Node, NodeGroup } from "./node-group.js";
import { BuilderStore } from "./store.js";

/** Options of {@link Builder.open}. */
export interface OpenBuilderOptions {
  /** Default: `BUILDX_BUILDER`, else the current builder. */
  name?: string | undefined;
  /** Default `process.env`. */
  env?: Environment | undefined;
  /** Told what was found broken in the store and worked around. */
  onWarning?: ((text: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What builders and nodes are resolved with. */
export interface BuilderContext {
  env: Environment;
  config: DockerConfig;
  store: BuilderStore;
}

/** A builder of the store, or a docker context's own, with its nodes. Talks to nobody until a node's driver is used. */
export class Builder {
  readonly group: NodeGroup;
  readonly nodes: readonly BuilderNode[];
  readonly #context: BuilderContext;

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
  static async open(options: OpenBuilderOptions = {}): Promise<Builder> {
    const context = await openBuilderContext(options);
    const name = options.name || context.env["BUILDX_BUILDER"];
    const group = await resolveBuilder(context.store, {
      ...context,
      ...(name && { name }),
      ...(options.signal && { signal: options.signal }),
    });
    if (!name) checkContextBuilder(group, context);
    return new Builder(group, context);
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

  get store(): BuilderStore {
    return this.#context.store;
  }
}

/** One node of a builder. */
export class BuilderNode {
  readonly node: Node;
  readonly #group: NodeGroup;
  readonly #context: BuilderContext;

  constructor(group: NodeGroup, node: Node, context: BuilderContext) {
    this.#group = group;
    this.node = node;
    this.#context = context;
  }

  get name(): string {
    return this.node.name;
  }

  /**
   * The node's driver; close it when done.
   *
   * @throws DriverError for unusable options or a driver that slipway does not have; ConfigError for a context that is gone.
   */
  async openDriver(options: { connect?: ConnectMode } = {}): Promise<Driver> {
    const { env, config, store } = this.#context;
    if (this.#group.driver === "")
      throw new DriverError(
        "DRIVER_UNSUPPORTED",
        `builder ${this.#group.name} is the engine's own (driver docker), which slipway cannot use; make a container builder with: slipway create --driver docker-container --use`,
      );
    // An unknown driver is refused before its endpoint, which may be of a form of its own.
    const endpoint =
      this.#group.driver === "docker-container"
        ? await this.endpoint()
        : { contextName: "", host: "", skipTlsVerify: false };
    const stored = await store.slipwayOptions(this.#group.name);
    const credentials = dockerCredentials({ env, config });
    return openDriver({
      driver: this.#group.driver,
      nodeName: this.node.name,
      endpoint,
      driverOpts: this.node.driverOpts,
      flags: this.node.flags,
      files: this.node.files,
      env,
      connect: options.connect ?? (env["SLIPWAY_CONNECT"] ? undefined : stored.connect),
      pullAuth: (image, signal) => engineAuth(image, credentials, signal),
    });
  }

  /** The engine of the node: that of a docker context, or a host. */
  async endpoint(): Promise<DockerEndpoint> {
    const { env, config } = this.#context;
    const { endpoint } = this.node;
    try {
      return await resolveDockerEndpoint(env, config, { context: endpoint });
    } catch (error) {
      const isHost = /^[a-z]+:\/\//.test(endpoint);
      if (
        !isHost ||
        !(isSlipwayError(error, "CONTEXT_NOT_FOUND") || isSlipwayError(error, "INVALID_ARGUMENT"))
      )
        throw error;
      // A host as endpoint takes its TLS from the environment, if that speaks of the same host.
      const current = await resolveDockerEndpoint(env, config, { context: "default" });
      return current.host === endpoint ? current : { contextName: "", host: endpoint, skipTlsVerify: false };
    }
  }
}

/** Reads the docker config and opens the store of an environment. */
export async function openBuilderContext(
  options: Pick<OpenBuilderOptions, "env" | "onWarning"> = {},
): Promise<BuilderContext> {
  const env = options.env ?? process.env;
  const config = await loadDockerConfig(env);
  const store = BuilderStore.open(env, options.onWarning ? { onWarning: options.onWarning } : {});
  return { env, config, store };
}
