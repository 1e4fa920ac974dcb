import type { Builder, BuilderNode, Platform } from "../builder/index.js";
import { type Driver, connectForBuild, loadRemote } from "../driver/index.js";
import type { BuildkitClient } from "../buildkit/index.js";
import type { DockerConfig, DockerEndpoint, Environment } from "../config/index.js";
import { type EventSink, InvalidArgumentError } from "../core/index.js";
import type { ConnectTarget } from "./connection.js";
import type { SolvePlan } from "./solve-plan.js";

/** How {@link BuildNode.connect} is asked. */
export interface ConnectNodeOptions {
  onEvent?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/** What a build is called in the builder's store. */
export interface SavedAs {
  target: string;
  groupRef: string | undefined;
}

/** One buildkitd that builds can run on: a builder's node, or one at an address. */
export interface BuildNode {
  builderName: string;
  nodeName: string;
  /** Platforms it was configured for. */
  platforms: readonly Platform[];
  driver: Driver;
  /** The engine that it is on, and how its node names that. */
  engine?: { endpoint: DockerEndpoint; name: string } | undefined;
  /** Files of the node's configuration, with what they say about registries. */
  files?: ReadonlyMap<string, Uint8Array>;
  saveRef?: (plan: SolvePlan, as: SavedAs) => Promise<void>;
  /** Notes which builds were started together. */
  saveGroup?: (id: string, group: { targets: readonly string[]; refs: readonly string[] }) => Promise<void>;
  /** What is noted of a build's id. */
  readRef?: (ref: string) => Promise<{ localPath: string; dockerfilePath: string } | undefined>;
  /** Boots it if need be. */
  connect(options: ConnectNodeOptions): Promise<BuildkitClient>;
  close(): Promise<void>;
}

/** The node of an address or a dial function; undefined when the target has neither. */
export async function dialledNode(
  { address, tls, dial }: Pick<ConnectTarget, "address" | "dial" | "tls">,
  context: { env: Environment; dockerConfig: DockerConfig },
): Promise<BuildNode | undefined> {
  if (dial === undefined && address === undefined) return undefined;
  if (tls && address === undefined) throw new InvalidArgumentError("tls is for an address");
  const driver = await loadRemote(dial ? { dial } : { address: address ?? "", tls, ...context });
  return {
    builderName: "remote",
    nodeName: "remote0",
    platforms: [],
    driver,
    // Whoever gives an address knows whether somebody is there.
    connect: ({ onEvent, signal }) => driver.connect({ sink: onEvent, signal, boot: false }),
    close: () => driver.close(),
  };
}

/** The node of a builder, as builds use it. */
export async function builderNode(
  builder: Builder,
  node: BuilderNode,
  affinity?: string,
): Promise<BuildNode> {
  const driver = await node.openDriver();
  const endpoint = await node.endpoint();
  return {
    builderName: builder.name,
    nodeName: node.name,
    platforms: node.node.platforms,
    driver,
    engine: endpoint && { endpoint, name: node.node.endpoint },
    files: node.node.files,
    // Only a help for `history`; a store that cannot be written does not keep anyone from building.
    async saveRef({ ref, inputs }, { target, groupRef }) {
      const state = { target, ...inputs.recorded, ...(groupRef !== undefined && { groupRef }) };
      await builder.store.localState.saveRef(builder.name, node.name, ref, state).catch(() => {});
    },
    async saveGroup(id, group) {
      await builder.store.localState.saveGroup(id, group).catch(() => {});
    },
    readRef: (ref) => builder.store.localState.readRef(builder.name, node.name, ref).catch(() => undefined),
    connect: ({ onEvent, signal }) => connectForBuild(driver, { sink: onEvent, signal, affinity }),
    close: () => driver.close(),
  };
}
