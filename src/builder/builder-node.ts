import { type DockerEndpoint, resolveDockerEndpoint } from "../config/index.js";
import { isSlipwayError, readOptions } from "../core/index.js";
import { type ConnectMode, type Driver, DriverError, loadDriver } from "../driver/index.js";
import { openDriverKinds } from "./option-kinds.js";
import type { BuilderContext } from "./builder-context.js";
import type { Node, NodeGroup } from "./node-group.js";
import { ephemeralLabel } from "./slipway-options.js";

/** One node of a builder. */
export class BuilderNode {
  readonly node: Node;
  readonly #group: NodeGroup;
  readonly #context: BuilderContext;

  /** @internal */
  constructor(group: NodeGroup, node: Node, context: BuilderContext) {
    this.#group = group;
    this.node = node;
    this.#context = context;
  }

  get name(): string {
    return this.node.name;
  }

  /** Driver name as stored; empty for a docker context's own builder. */
  get driver(): string {
    return this.#group.driver;
  }

  /**
   * The node's driver; close it when done.
   *
   * @throws DriverError for unusable options or a driver that slipway does not have; ConfigError for a context that is gone.
   */
  async openDriver(given: { connect?: ConnectMode } = {}): Promise<Driver> {
    const options = readOptions("openDriver()", given, openDriverKinds);
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
    return loadDriver({
      driver: this.#group.driver,
      nodeName: this.node.name,
      endpoint,
      driverOpts: this.node.driverOpts,
      flags: this.node.flags,
      files: this.node.files,
      ...(stored.ephemeral !== undefined && { labels: { [ephemeralLabel]: stored.ephemeral } }),
      env,
      connect: options.connect ?? (env["SLIPWAY_CONNECT"] ? undefined : stored.connect),
      dockerConfig: config,
      isWanted: async () => {
        try {
          const group = await store.get(this.#group.name);
          return group?.nodes.some(({ name }) => name === this.name) === true;
        } catch {
          return true; // a broken file is no removal
        }
      },
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
