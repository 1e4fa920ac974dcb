import type { DockerEndpoint } from "../config/index.js";
import { readOptions } from "../core/index.js";
import { type ConnectMode, type Driver, driverKind, engineEndpoint, loadDriver } from "../driver/index.js";
import { openDriverKinds } from "./option-kinds.js";
import type { BuilderContext } from "./builder-context.js";
import type { Node, NodeGroup } from "./node-group.js";
import { formatPlatformFully } from "./platform.js";
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

  /** Driver name. A docker context's own builder is the engine's, `docker`. */
  get driver(): string {
    return this.#group.driver || "docker";
  }

  /**
   * The node's driver; close it when done.
   *
   * @throws DriverError for unusable options or a driver that slipway does not have; ConfigError for a context that is gone.
   */
  async openDriver(given: { connect?: ConnectMode } = {}): Promise<Driver> {
    const options = readOptions("openDriver()", given, openDriverKinds);
    const { env, config, store } = this.#context;
    const stored = await store.slipwayOptions(this.#group.name);
    return loadDriver({
      driver: this.driver,
      nodeName: this.node.name,
      platforms: this.node.platforms.map(formatPlatformFully),
      endpoint: this.node.endpoint,
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

  /** The engine of the node: that of a docker context, or a host. Undefined for a driver whose nodes are on none. */
  async endpoint(): Promise<DockerEndpoint | undefined> {
    if (driverKind(this.driver).endpoint !== "engine") return undefined;
    const { env, config } = this.#context;
    return engineEndpoint(env, config, this.node.endpoint);
  }
}
