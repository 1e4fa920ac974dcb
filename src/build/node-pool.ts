import {
  Builder,
  type NodeShare,
  type Platform,
  formatPlatformFully,
  isBuilder,
  only,
  parsePlatforms,
  pickNode,
  shareConfigured,
  shareOffered,
} from "../builder/index.js";
import type { BuildkitClient } from "../buildkit/index.js";
import type { DockerConfig, Environment } from "../config/index.js";
import { InvalidArgumentError, isSlipwayError, throwIfAborted, untilAborted } from "../core/index.js";
import type { ConnectTarget } from "./connection.js";
import { type BuildNode, type ConnectNodeOptions, dialledNode, builderNode } from "./build-node.js";

/** The nodes that a target has; opens and connects to each once, when it is needed. */
export interface NodePool {
  /** The node that plans are made for. */
  readonly first: BuildNode;
  readonly firstIndex: number;
  node(index: number): Promise<BuildNode>;
  /** Connects to a node, booting it if need be; the connection is shared, and made anew when it was lost. */
  connect(index: number, options: ConnectNodeOptions): Promise<BuildkitClient>;
  /** Notes, once, that the builder is used. A store that cannot be written is no error. */
  touch(): Promise<void>;
  /** How many nodes there are. */
  readonly size: number;
  /**
   * Another node than a lost one that can build for these platforms, or for what the lost one builds for if none is asked; the same
   * where another daemon comes by itself.
   */
  other(lost: NodeShare, options: ConnectNodeOptions): Promise<number | undefined>;
  /** Whether another daemon comes by itself where one of this node was lost. */
  replaces(index: number): Promise<boolean>;
  /** Decides which nodes build what. May boot all of them to ask what they offer. */
  share(platforms: readonly string[], options: ConnectNodeOptions): Promise<NodeShare[]>;
  /** Drops all connections. Idempotent. */
  close(): Promise<void>;
}

/** Which nodes, and what for. */
export type NodesTarget = ConnectTarget & {
  platforms?: readonly string[];
  /** Builds of the same text go to the same daemon of a node that has several. */
  affinity?: string | undefined;
};

/** Opens the nodes of a target; of several only the one that plans are made for. Nothing is dialled. */
export async function openNodes(
  target: NodesTarget,
  context: { env: Environment; dockerConfig: DockerConfig },
): Promise<NodePool> {
  const { env } = context;
  const dialled = await dialledNode(target, context);
  if (dialled) return new Pool(0, dialled, [], () => Promise.resolve(dialled));
  const builder = isBuilder(target.builder)
    ? target.builder
    : await Builder.open({ name: target.builder, env, signal: target.signal });
  const node = pickNode(builder, target.platforms ?? []);
  if (!node) throw new InvalidArgumentError(`builder ${builder.name} has no nodes`);
  const openNode = (index: number) => builderNode(builder, builder.nodes[index] ?? node, target.affinity);
  const firstIndex = builder.nodes.indexOf(node);
  const configured = builder.nodes.map((one) => one.node.platforms);
  let isAnnounced = false;
  const announce = ({ onEvent }: ConnectNodeOptions) => {
    if (!isAnnounced) onEvent?.({ type: "start", builder: builder.name, driver: builder.driver });
    isAnnounced = true;
  };
  let touched: Promise<void> | undefined;
  const touch = () => (touched ??= builder.touch());
  return new Pool(firstIndex, await openNode(firstIndex), configured, openNode, { announce, touch });
}

class Pool implements NodePool {
  readonly first: BuildNode;
  readonly firstIndex: number;
  readonly #configured: readonly (readonly Platform[])[];
  readonly #open: (index: number) => Promise<BuildNode>;
  readonly #announce: (options: ConnectNodeOptions) => void;
  readonly touch: () => Promise<void>;
  readonly #nodes = new Map<number, Promise<BuildNode>>();
  readonly #clients = new Map<number, Promise<BuildkitClient>>();
  /** What nodes build for when nothing is asked; known of several nodes alone. */
  readonly #native = new Map<number, string>();
  /** Nodes whose connection has died since, as when the builder was restarted. */
  readonly #lost = new Set<number>();
  #closed = false;

  constructor(
    firstIndex: number,
    first: BuildNode,
    configured: readonly (readonly Platform[])[],
    open: (index: number) => Promise<BuildNode>,
    {
      announce = () => {},
      touch = () => Promise.resolve(),
    }: { announce?: (options: ConnectNodeOptions) => void; touch?: () => Promise<void> } = {},
  ) {
    this.firstIndex = firstIndex;
    this.first = first;
    this.#configured = configured;
    this.#open = open;
    this.#announce = announce;
    this.touch = touch;
    this.#nodes.set(firstIndex, Promise.resolve(first));
  }

  node(index: number): Promise<BuildNode> {
    return kept(this.#nodes, index, () => this.#open(index));
  }

  async connect(index: number, options: ConnectNodeOptions): Promise<BuildkitClient> {
    const { signal } = options;
    for (;;) {
      if (this.#closed)
        throw new InvalidArgumentError("the connection is closed, builds need another: connect() makes one");
      const isOthers = this.#clients.has(index);
      const connecting = kept(this.#clients, index, async () => {
        const node = await this.node(index);
        this.#announce(options);
        if (this.#lost.delete(index)) {
          const text = `the connection to ${node.nodeName} of builder ${node.builderName} was lost, connecting again`;
          options.onEvent?.({ type: "message", level: "info", text });
        }
        const client = this.#watched(index, await node.connect(options));
        if (this.size > 1) {
          // Only for when it is lost: a build needs no answer.
          const [platform] = await offeredBy(client, options).catch(() => []);
          if (platform) this.#native.set(index, formatPlatformFully(platform));
        }
        return client;
      });
      try {
        return await (isOthers && signal ? untilAborted(signal, connecting) : connecting);
      } catch (error) {
        // That another build was cancelled which had begun to connect does not end this one.
        if (!isOthers || signal?.aborted || !isSlipwayError(error, "ABORTED")) throw error;
      }
    }
  }

  /** Forgets a connection when it dies, so that the next build makes another. */
  #watched(index: number, client: BuildkitClient): BuildkitClient {
    void client.closed.then((reason) => {
      if (!reason || this.#closed) return;
      this.#clients.delete(index);
      this.#lost.add(index);
    });
    return client;
  }

  async share(platforms: readonly string[], options: ConnectNodeOptions): Promise<NodeShare[]> {
    const asked = parsePlatforms(platforms);
    if (asked.length === 0 || this.#configured.length <= 1)
      return [{ index: this.firstIndex, platforms: asked }];
    const shares = shareConfigured(asked, this.#configured);
    if (shares) return shares;
    const offered = await Promise.all(
      this.#configured.map(async (own, index) => {
        return [...own, ...(await offeredBy(await this.connect(index, options), options))];
      }),
    );
    return shareOffered(asked, offered);
  }

  get size(): number {
    return Math.max(1, this.#configured.length);
  }

  async other(lost: NodeShare, options: ConnectNodeOptions): Promise<number | undefined> {
    // A cluster puts another in the place of what was lost, with what the node is for.
    if (await this.replaces(lost.index)) return lost.index;
    for (const [index, own] of this.#configured.entries()) {
      if (index === lost.index) continue;
      let offered: Platform[];
      try {
        offered = [...own, ...(await offeredBy(await this.connect(index, options), options))];
      } catch (error) {
        throwIfAborted(options.signal);
        if (!isSlipwayError(error)) throw error;
        continue; // lost as well
      }
      const native = this.#native.get(lost.index);
      const fits =
        lost.platforms.length === 0
          ? native !== undefined && native === this.#native.get(index)
          : lost.platforms.every((asked) => offered.some((one) => only(one).matches(asked)));
      if (fits) return index;
    }
    return undefined;
  }

  async replaces(index: number): Promise<boolean> {
    return (await this.node(index)).driver.features.replacesDaemon === true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const opened of [this.#clients, this.#nodes]) {
      const closing = [...opened.values()].map(async (one) => (await one.catch(() => undefined))?.close());
      await Promise.all(closing);
    }
  }
}

/** Platforms that a daemon says it builds for, its own first. */
async function offeredBy(client: BuildkitClient, { signal }: ConnectNodeOptions): Promise<Platform[]> {
  const workers = await client.workers({ signal });
  return workers.flatMap((worker) => worker.platforms.map(toPlatform));
}

/** Makes a thing once; what failed may be tried again. */
function kept<T>(things: Map<number, Promise<T>>, index: number, make: () => Promise<T>): Promise<T> {
  let thing = things.get(index);
  if (!thing) {
    things.set(index, (thing = make()));
    thing.catch(() => things.delete(index));
  }
  return thing;
}

function toPlatform({
  OS,
  Architecture,
  Variant,
}: {
  OS: string;
  Architecture: string;
  Variant: string;
}): Platform {
  return { os: OS, architecture: Architecture, ...(Variant && { variant: Variant }) };
}
