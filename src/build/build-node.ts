import type { Driver } from "../builder/index.js";
import type { BuildkitClient } from "../buildkit/index.js";
import type { DockerEndpoint } from "../config/index.js";

/** A live node to build on. */
export interface BuildNode {
  client: BuildkitClient;
  builderName: string;
  nodeName: string;
  driver: Driver;
  /** The engine that it is on, and how its builder names that. */
  engine?: { endpoint: DockerEndpoint; name: string } | undefined;
  /** Files of its configuration, which say how registries are spoken to. */
  files?: ReadonlyMap<string, Uint8Array>;
}
