import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { content as wire } from "../../buildkit/index.js";
import { GrpcError, type ServerCall, frameMessage, grpcCodes } from "../../http2/index.js";
import type { ContentStore } from "./content-store.js";
import { parseDigest } from "./digest.js";
import type { Ingest } from "./ingest.js";

/** Longest ref taken, in characters. */
const maxRef = 4096;

/**
 * Serves one Write: a ref, then bytes, then a commit that checks size and digest, each message answered in turn
 * (containerd contentserver). The next message is read when the last is on disk, which holds the daemon back.
 */
export async function serveWrite(call: ServerCall, store: ContentStore): Promise<void> {
  store.requireWritable();
  let ingest: Ingest | undefined;
  let expected = "";
  try {
    for await (const message of call.messages()) {
      const request = fromBinary(wire.WriteContentRequestSchema, message);
      const total = Number(request.total);
      if (request.expected !== "") {
        parseDigest(request.expected);
        if (expected !== "" && request.expected !== expected) {
          throw new GrpcError(
            grpcCodes.invalidArgument,
            `inconsistent digest provided: ${request.expected} != ${expected}`,
          );
        }
        expected = request.expected;
      }
      if (!ingest) {
        if (request.ref === "" || request.ref.length > maxRef) {
          throw new GrpcError(grpcCodes.invalidArgument, "first message must have a reference");
        }
        ingest = await store.writer(request.ref, total, expected);
      } else if (total > 0) {
        if (ingest.total > 0 && total !== ingest.total) {
          throw new GrpcError(
            grpcCodes.invalidArgument,
            `inconsistent total provided: ${total} != ${ingest.total}`,
          );
        }
        ingest.total = total;
      }
      await apply(ingest, request, expected);
      if (!call.write(response(request.action, ingest))) await call.drained();
      if (request.action === wire.WriteAction.COMMIT) return;
    }
  } finally {
    await ingest?.close();
  }
}

async function apply(ingest: Ingest, request: wire.WriteContentRequest, expected: string): Promise<void> {
  if (request.action === wire.WriteAction.STAT) return;
  const offset = Number(request.offset);
  if (offset > 0 && offset !== ingest.offset) {
    throw new GrpcError(
      grpcCodes.outOfRange,
      `write @${offset} must occur at current offset ${ingest.offset}`,
    );
  }
  if (offset === 0 && ingest.offset > 0) await ingest.truncate();
  const { data } = request;
  if (data.length > 0) await ingest.write(Buffer.from(data.buffer, data.byteOffset, data.length));
  if (request.action === wire.WriteAction.COMMIT) await ingest.commit(ingest.total, expected);
}

function response(action: wire.WriteAction, ingest: Ingest): Buffer {
  return frameMessage(
    toBinary(
      wire.WriteContentResponseSchema,
      create(wire.WriteContentResponseSchema, {
        action,
        startedAt: timestampFromDate(ingest.startedAt),
        updatedAt: timestampFromDate(ingest.updatedAt),
        offset: BigInt(ingest.offset),
        total: BigInt(ingest.total),
        digest: ingest.digest(),
      }),
    ),
  );
}
