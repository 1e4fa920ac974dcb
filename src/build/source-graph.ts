import { createHash } from "node:crypto";
import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { pb } from "../buildkit/index.js";

/** A source as BuildKit fetches it. */
export interface GraphSource {
  /** `https://…`, `git://…`. */
  identifier: string;
  attrs: Record<string, string>;
  /** What a daemon must be able to do; one that is not is told by BuildKit. */
  caps: readonly string[];
  /** How it is called in the progress, behind `[internal]`; without credentials. */
  name: string;
}

/** One operation, by whose digest others name it. */
export interface EncodedOp {
  data: Uint8Array;
  digest: string;
  metadata: MessageInitShape<typeof pb.OpMetadataSchema>;
}

/** The graph of one source (BK client/llb source.go). */
export function sourceGraph(source: GraphSource): pb.Definition {
  return graphOf([sourceOp(source)]);
}

/** The operation that fetches a source. */
export function sourceOp({ identifier, attrs, caps, name }: GraphSource): EncodedOp {
  const op = { op: { case: "source", value: { identifier, attrs } }, constraints: {} } as const;
  return encodeOp(op, caps, `[internal] ${name}`);
}

/** A copy of one thing from another operation's result, onto nothing. */
export interface GraphCopy {
  from: EncodedOp;
  src: string;
  /** A directory's content instead of the directory, or an archive's instead of the archive. */
  takes: "directory" | "archive";
  /** How it is called in the progress. */
  name: string;
}

/** The operation that copies (BK client/llb fileop.go Copy). */
export function copyOp({ from, src, takes, name }: GraphCopy): EncodedOp {
  const copy = {
    src,
    dest: "/",
    mode: -1,
    timestamp: -1n,
    ...(takes === "directory"
      ? { dirCopyContents: true }
      : { createDestPath: true, attemptUnpackDockerCompatibility: true }),
  };
  // Onto nothing, from the op's only input.
  const action = {
    input: -1n,
    secondaryInput: 0n,
    output: 0n,
    action: { case: "copy", value: copy },
  } as const;
  const inputs = [{ digest: from.digest, index: 0n }];
  const file = { inputs, op: { case: "file" as const, value: { actions: [action] } }, constraints: {} };
  return encodeOp(file, ["file.base"], name);
}

/** An operation with its digest. `name` is how it is called in the progress. */
export function encodeOp(
  op: MessageInitShape<typeof pb.OpSchema>,
  caps: readonly string[],
  name: string,
): EncodedOp {
  const data = toBinary(pb.OpSchema, create(pb.OpSchema, op));
  return {
    data,
    digest: opDigest(data),
    metadata: {
      caps: Object.fromEntries(caps.map((cap) => [cap, true])),
      description: { "llb.customname": name },
    },
  };
}

/** What others call an operation: the digest of its bytes. */
export function opDigest(data: Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** The graph of operations, in their order, whose result is the last one's. */
export function graphOf(ops: readonly EncodedOp[]): pb.Definition {
  const inputs = ops.slice(-1).map(({ digest }) => ({ digest, index: 0n }));
  return create(pb.DefinitionSchema, {
    def: [...ops.map(({ data }) => data), toBinary(pb.OpSchema, create(pb.OpSchema, { inputs }))],
    metadata: Object.fromEntries(ops.map(({ digest, metadata }) => [digest, metadata])),
  });
}
