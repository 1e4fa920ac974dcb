import { type Builder, type BuilderNode, type Driver, type Platform, dialAddress } from "../builder/index.js";
import { BuildkitClient, localWindows, remoteWindows, requireSupportedVersion } from "../buildkit/index.js";
import type { Dial, EventSink } from "../core/index.js";
import type { ConnectTarget } from "./connection.js";
import type { SolvePlan } from "./plan.js";

/** How {@link Place.connect} is asked. */
export interface PlaceConnectOptions {
  onEvent?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/** One buildkitd that builds can run on: a builder's node, or one at an address. */
export interface Place {
  builderName: string;
  nodeName: string;
  driverName: string;
  /** Platforms it was configured for. */
  platforms: readonly Platform[];
  engineHost?: string | undefined;
  driver?: Driver;
  /** Files of the node's configuration, with what they say about registries. */
  files?: ReadonlyMap<string, Buffer>;
  saveRef?: (plan: SolvePlan) => Promise<void>;
  /** Boots it if need be. */
  connect(options: PlaceConnectOptions): Promise<BuildkitClient>;
  close(): Promise<void>;
}

/** The place of an address or a dial function; undefined when the target has neither. */
export function dialPlace(target: Pick<ConnectTarget, "address" | "dial" | "tls">): Place | undefined {
  const { address, tls } = target;
  const dial: Dial | undefined =
    target.dial ?? (address === undefined ? undefined : dialAddress(address, tls));
  if (!dial) return undefined;
  const windows = address?.startsWith("tcp:") ? remoteWindows : localWindows;
  return {
    builderName: "remote",
    nodeName: "remote0",
    driverName: "remote",
    platforms: [],
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

/** The place that a builder's node is. */
export async function nodePlace(builder: Builder, node: BuilderNode): Promise<Place> {
  const driver = await node.openDriver();
  const { host } = await node.endpoint();
  return {
    builderName: builder.name,
    nodeName: node.name,
    driverName: builder.driver,
    platforms: node.node.platforms,
    engineHost: host,
    driver,
    files: new Map([...node.node.files].map(([name, data]) => [name, Buffer.from(data)])),
    async saveRef({ ref, inputs }) {
      const { localState } = builder.store;
      // Only a help for `history`; a store that cannot be written does not keep anyone from building.
      await localState
        .saveRef(builder.name, node.name, ref, { target: "default", ...inputs.recorded })
        .catch(() => {});
    },
    async connect({ onEvent, signal }) {
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
