import type { pb } from "../../buildkit/index.js";
import { formatReference, parseReference, withDefaultTag } from "../../registry/index.js";
import { graphOf, sourceOp } from "../source-graph.js";
import type { Edge } from "./build-graph.js";

/** The graph of one image, for the builder's own platform (BK client/llb Image). @throws InvalidArgumentError for what names none */
export function imageDefinition(image: string): { definition: pb.Definition; edge: Edge } {
  const name = formatReference(withDefaultTag(parseReference(image)));
  const source = sourceOp({
    identifier: `docker-image://${name}`,
    attrs: {},
    caps: ["source.image"],
    name: `load ${name}`,
  });
  return { definition: graphOf([source]), edge: { digest: source.digest, index: 0n } };
}
