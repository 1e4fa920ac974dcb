import { create, fromBinary } from "@bufbuild/protobuf";
import { pb } from "../../buildkit/index.js";
import { SlipwayError } from "../../core/index.js";
import { encodeOp, opDigest } from "../source-graph.js";

/** An edge of a graph: one of the outputs of a node. */
export interface Edge {
  digest: string;
  index: bigint;
}

/** What a frontend made of a Dockerfile: the nodes by digest, each behind those that it is made from (BK solver/pb). */
export class BuildGraph {
  readonly ops = new Map<string, pb.Op>();
  readonly #data = new Map<string, Uint8Array>();
  readonly #metadata: pb.Definition["metadata"];

  /** @throws SlipwayError `BUILDER_CLAIM` for what is no graph */
  constructor(definition: pb.Definition) {
    this.#metadata = definition.metadata;
    for (const data of definition.def) {
      const digest = opDigest(data);
      this.#data.set(digest, data);
      this.ops.set(digest, decodeOp(data));
    }
  }

  /** The node is built without cache (`--no-cache`). */
  ignoresCache(digest: string): boolean {
    return this.#metadata[digest]?.ignoreCache ?? false;
  }

  /** All nodes that an edge rests on, with its own, the nearest first. */
  below({ digest }: Edge): string[] {
    const found = new Set([digest]);
    // A set is walked with what is added to it meanwhile.
    for (const next of found) for (const input of this.ops.get(next)?.inputs ?? []) found.add(input.digest);
    return [...found];
  }

  /** The part of the graph that makes an edge. It is looked up in the cache also where the build is not to. */
  definition(edge: Edge): pb.Definition {
    const needed = new Set(this.below(edge));
    const nodes = [...this.#data].filter(([digest]) => needed.has(digest));
    const end = encodeOp({ inputs: [edge] }, [], "");
    const metadata: pb.Definition["metadata"] = {};
    for (const [digest] of nodes) {
      const own = this.#metadata[digest];
      if (own) metadata[digest] = { ...own, ignoreCache: false };
    }
    return create(pb.DefinitionSchema, { def: [...nodes.map(([, data]) => data), end.data], metadata });
  }
}

function decodeOp(data: Uint8Array): pb.Op {
  try {
    return fromBinary(pb.OpSchema, data);
  } catch (cause) {
    throw new SlipwayError("BUILDER_CLAIM", "the builder sent a build graph that cannot be read", { cause });
  }
}
