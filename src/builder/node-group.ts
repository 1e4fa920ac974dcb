import type { JsonObject } from "../config/index.js";
import type { Platform } from "./platform.js";

/** One node of a builder: a BuildKit daemon and how it is made. */
export interface Node {
  /** Lower case; names the container: `buildx_buildkit_<name>`. */
  readonly name: string;
  /** Name of a docker context, or a host like `unix:///var/run/docker.sock`. */
  readonly endpoint: string;
  /** Platforms that the user assigned to the node; normalised. */
  readonly platforms: readonly Platform[];
  readonly driverOpts: Readonly<Record<string, string>>;
  /** Flags of buildkitd. */
  readonly flags: readonly string[];
  /** Contents of config files by path relative to `/etc/buildkit`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The node as it was read, so that what is not understood is written back. */
  readonly stored?: JsonObject;
}

/** A builder: nodes under one name (buildx store.NodeGroup). Values, never changed in place. */
export interface NodeGroup {
  readonly name: string;
  /** Driver name; empty for context builders, where the engine decides. */
  readonly driver: string;
  readonly nodes: readonly Node[];
  /** Made by something outside, which alone may change it. */
  readonly dynamic: boolean;
  /** Not stored: stands for the docker context of the same name. */
  readonly dockerContext: boolean;
  /** When it was last used. */
  readonly lastActivity?: Date;
  /** The group as it was read. */
  readonly stored?: JsonObject;
}

/** A builder without nodes yet, for {@link updateNode} to add to. */
export function emptyNodeGroup(name: string, driver: string): NodeGroup {
  return { name, driver, nodes: [], dynamic: false, dockerContext: false };
}

/** The builder that every docker context is by itself. */
export function contextNodeGroup(contextName: string): NodeGroup {
  const node: Node = {
    name: contextName,
    endpoint: contextName,
    platforms: [],
    driverOpts: {},
    flags: [],
    files: new Map(),
  };
  return { name: contextName, driver: "", nodes: [node], dynamic: false, dockerContext: true };
}
