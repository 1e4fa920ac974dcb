import {
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { content as wire } from "../../buildkit/index.js";
import {
  GrpcError,
  type ServerCall,
  frameHead,
  frameMessage,
  grpcCodes,
  varintLength,
  writeVarint,
} from "../../http2/index.js";
import type { Attachable } from "../attachable.js";
import type { BlobInfo, ContentStore } from "./content-store.js";
import { serveWrite } from "./content-write.js";
import type { IngestStatus } from "./ingest.js";

/** Names the store (buildkit session/content/attachable.go). */
const storeIdHeader = "buildkit-attachable-store-id";

/** Bytes of a READ response; containerd's own size. */
const chunkSize = 1024 * 1024;

/** Blobs in one List response. */
const listBatch = 100;

/**
 * Serves content stores to the daemon (containerd.services.content.v1.Content), by the ids it asks for them: `export`
 * for an OCI layout exported as a directory, `local:<dir>` for local caches, `oci:<id>` for layouts used as contexts.
 * A read-only store refuses whatever would change it.
 */
export function content(stores: ReadonlyMap<string, ContentStore>): Attachable {
  const base = `/${wire.Content.typeName}/`;
  return {
    methods: Object.keys(handlers).map((name) => base + name),
    async handle(call) {
      const name = call.path.slice(base.length).toLowerCase();
      const handler = Object.entries(handlers).find(([key]) => key.toLowerCase() === name)?.[1];
      if (!handler) throw new GrpcError(grpcCodes.unimplemented, `method ${call.path} is not served`);
      await handler(call, pick(stores, call));
    },
  };
}

function pick(stores: ReadonlyMap<string, ContentStore>, call: ServerCall): ContentStore {
  const id = call.header(storeIdHeader);
  if (id === undefined || id === "") {
    throw new GrpcError(grpcCodes.invalidArgument, `request lacks metadata ${storeIdHeader}`);
  }
  const store = stores.get(id);
  if (!store) throw new GrpcError(grpcCodes.notFound, `unknown store ${JSON.stringify(id)}: not found`);
  return store;
}

type Handler = (call: ServerCall, store: ContentStore) => Promise<void>;

const handlers: Readonly<Record<string, Handler>> = {
  Info: async (call, store) => {
    const { digest } = await request(call, wire.InfoRequestSchema);
    answer(call, wire.InfoResponseSchema, { info: infoMessage(await store.info(digest)) });
  },
  Update: async (call, store) => {
    store.requireWritable();
    await request(call, wire.UpdateRequestSchema);
    // Labels are kept by containerd's daemon only, not by a store in a directory.
    throw new GrpcError(grpcCodes.failedPrecondition, "update not supported on immutable content store");
  },
  List: async (call, store) => {
    refuseFilters((await request(call, wire.ListContentRequestSchema)).filters);
    let batch: ReturnType<typeof infoMessage>[] = [];
    const flush = async () => {
      const info = batch;
      batch = [];
      if (!answer(call, wire.ListContentResponseSchema, { info })) await call.drained();
    };
    for await (const info of store.list()) {
      if (batch.push(infoMessage(info)) === listBatch) await flush();
    }
    if (batch.length > 0) await flush();
  },
  Delete: async (call, store) => {
    await store.delete((await request(call, wire.DeleteContentRequestSchema)).digest);
    call.write(frameMessage(new Uint8Array()));
  },
  Read: async (call, store) => {
    const { digest, offset, size } = await request(call, wire.ReadContentRequestSchema);
    await read(call, store, digest, Number(offset), Number(size));
  },
  Status: async (call, store) => {
    const { ref } = await request(call, wire.StatusRequestSchema);
    answer(call, wire.StatusResponseSchema, { status: statusMessage(await store.status(ref)) });
  },
  ListStatuses: async (call, store) => {
    refuseFilters((await request(call, wire.ListStatusesRequestSchema)).filters);
    const statuses = (await store.statuses()).map(statusMessage);
    answer(call, wire.ListStatusesResponseSchema, { statuses });
  },
  Write: serveWrite,
  Abort: async (call, store) => {
    await store.abort((await request(call, wire.AbortRequestSchema)).ref);
    call.write(frameMessage(new Uint8Array()));
  },
};

async function read(
  call: ServerCall,
  store: ContentStore,
  digest: string,
  offset: number,
  size: number,
): Promise<void> {
  const blob = await store.open(digest);
  try {
    if (offset < 0 || size < 0 || offset > blob.size) {
      throw new GrpcError(
        grpcCodes.outOfRange,
        `read past object length ${blob.size} bytes: ${size} at ${offset}`,
      );
    }
    // The size says how much is wanted at most: the reader need not know how long the blob is (containerd
    // plugins/services/content/contentserver).
    const end = size === 0 ? blob.size : Math.min(offset + size, blob.size);
    for (let at = offset; at < end;) {
      // A buffer of its own for each: what was written may not be changed until it is out.
      const buffer = Buffer.allocUnsafeSlow(Math.min(chunkSize, end - at));
      const { bytesRead } = await blob.handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0)
        throw new GrpcError(grpcCodes.dataLoss, `content ${digest} was cut while being read`);
      const head = frameHead(bytesRead, { field: 2, before: offsetField(at) });
      if (!call.write([head, buffer.subarray(0, bytesRead)])) await call.drained();
      at += bytesRead;
    }
  } finally {
    await blob.handle.close();
  }
}

/** Field 1 of ReadContentResponse, serialised; left out when 0. */
function offsetField(offset: number): Buffer {
  if (offset === 0) return Buffer.alloc(0);
  const field = Buffer.alloc(1 + varintLength(offset));
  field[0] = 0x08;
  writeVarint(field, 1, offset);
  return field;
}

/** The one request of a call that has one. */
async function request<Desc extends DescMessage>(call: ServerCall, desc: Desc): Promise<MessageShape<Desc>> {
  for await (const message of call.messages()) return fromBinary(desc, message);
  throw new GrpcError(grpcCodes.internal, `${call.path} was called without a request message`);
}

function answer<Desc extends DescMessage>(
  call: ServerCall,
  desc: Desc,
  init: MessageInitShape<Desc>,
): boolean {
  return call.write(frameMessage(toBinary(desc, create(desc, init))));
}

/** BuildKit sends none; ignoring one would give wrong answers. */
function refuseFilters(filters: readonly string[]): void {
  if (filters.length > 0) throw new GrpcError(grpcCodes.unimplemented, "filters are not supported");
}

function infoMessage(info: BlobInfo) {
  return {
    digest: info.digest,
    size: BigInt(info.size),
    createdAt: timestampFromDate(info.createdAt),
    updatedAt: timestampFromDate(info.updatedAt),
  };
}

function statusMessage(status: IngestStatus): {
  ref: string;
  offset: bigint;
  total: bigint;
  startedAt: Timestamp;
  updatedAt: Timestamp;
} {
  return {
    ref: status.ref,
    offset: BigInt(status.offset),
    total: BigInt(status.total),
    startedAt: timestampFromDate(status.startedAt),
    updatedAt: timestampFromDate(status.updatedAt),
  };
}
