import type { BuildkitClient } from "../buildkit/index.js";
import type { BuildNode } from "./build-node.js";

/** A node that builds can begin on. */
export type ConnectedNode = Pick<
  BuildNode,
  "builderName" | "nodeName" | "driver" | "engine" | "files" | "readRef"
> & {
  client: BuildkitClient;
};
