import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { createHash } from "node:crypto";
import { content, control } from "../../src/buildkit/index.js";
import { GrpcError, type ServerCall, grpcCodes } from "../../src/http2/index.js";
import { type BuildHistory, history } from "../../src/manage/index.js";
import { service } from "../../src/session/index.js";
import { FakeBuilder } from "./fake-builder.js";

type RecordInit = MessageInitShape<typeof control.BuildHistoryRecordSchema>;
type StatusInit = MessageInitShape<typeof control.StatusResponseSchema>;

/** What the daemon does in place of what it would do; each may throw, wait, or answer nonsense. */
export interface HistoryScript {
  listen?(
    request: control.BuildHistoryRequest,
    call: ServerCall,
  ): AsyncIterable<MessageInitShape<typeof control.BuildHistoryEventSchema>>;
  update?(request: control.UpdateBuildHistoryRequest, call: ServerCall): Promise<object> | object;
  status?(call: ServerCall): AsyncIterable<StatusInit>;
  read?(digest: string, call: ServerCall): AsyncIterable<{ offset: bigint; data: Uint8Array }>;
  info?(digest: string, call: ServerCall): Promise<object> | object;
  workers?(call: ServerCall): Promise<object> | object;
}

/** Where a blob is, as records have it. */
export interface StoredBlob {
  digest: string;
  mediaType: string;
  size: bigint;
  annotations: Record<string, string>;
}

/** A builder `b` whose daemons remember what the test says: {@link FakeHistory.records}, and blobs. */
export class FakeHistory implements AsyncDisposable {
  readonly records: RecordInit[] = [];
  readonly blobs = new Map<string, Buffer>();
  /** What was asked to be changed, in order. */
  readonly updates: control.UpdateBuildHistoryRequest[] = [];
  script: HistoryScript = {};
  /** Reads of blobs that have not ended. */
  reads = 0;
  #fake: FakeBuilder | undefined;

  get builder(): FakeBuilder {
    if (!this.#fake) throw new Error("not open yet");
    return this.#fake;
  }

  /** @param platforms a node for each; default one node. */
  static async open(platforms: readonly string[] = []): Promise<FakeHistory> {
    const fake = new FakeHistory();
    fake.#fake = await FakeBuilder.open(fake.#services(), platforms);
    return fake;
  }

  history(signal?: AbortSignal): Promise<BuildHistory> {
    return history({ builder: "b", env: this.builder.env, signal });
  }

  /** Keeps a blob, and gives its descriptor. */
  store(
    value: unknown,
    mediaType = "application/json",
    annotations: Record<string, string> = {},
  ): StoredBlob {
    const isText = typeof value === "string" || value instanceof Uint8Array;
    const data = Buffer.from(isText ? (value as string) : JSON.stringify(value));
    const digest = `sha256:${createHash("sha256").update(data).digest("hex")}`;
    this.blobs.set(digest, data);
    return { digest, mediaType, size: BigInt(data.length), annotations };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fake?.[Symbol.asyncDispose]();
  }

  #services() {
    return [
      service(control.Control, {
        info: () => ({ buildkitVersion: { version: "v0.34.2" } }),
        listWorkers: async (_request, call) =>
          (await this.script.workers?.(call)) ?? {
            record: [{ ID: "w", platforms: [{ OS: "linux", Architecture: "arm64", Variant: "v8" }] }],
          },
        listenBuildHistory: (request, call) => this.script.listen?.(request, call) ?? this.#listen(request),
        updateBuildHistory: async (request, call) => {
          this.updates.push(request);
          return (await this.script.update?.(request, call)) ?? {};
        },
        status: (_request, call) => this.script.status?.(call) ?? nothing(),
      }),
      service(content.Content, {
        info: async ({ digest }, call) =>
          (await this.script.info?.(digest, call)) ?? {
            info: { digest, size: BigInt(this.#blob(digest).length) },
          },
        read: ({ digest }, call) => this.#counted(this.script.read?.(digest, call) ?? this.#read(digest)),
      }),
    ];
  }

  async *#listen({
    Ref,
  }: control.BuildHistoryRequest): AsyncIterable<MessageInitShape<typeof control.BuildHistoryEventSchema>> {
    for (const record of this.records) if (Ref === "" || record.Ref === Ref) yield { type: 0, record };
  }

  async *#read(digest: string) {
    const data = this.#blob(digest);
    for (let at = 0; at < data.length; at += 65_536)
      yield { offset: BigInt(at), data: data.subarray(at, at + 65_536) };
  }

  async *#counted<T>(pieces: AsyncIterable<T>): AsyncGenerator<T> {
    this.reads++;
    try {
      yield* pieces;
    } finally {
      this.reads--;
    }
  }

  #blob(digest: string): Buffer {
    const data = this.blobs.get(digest);
    if (!data) throw new GrpcError(grpcCodes.notFound, `content ${digest}: not found`);
    return data;
  }
}

async function* nothing(): AsyncGenerator<never> {}

/** A record's time, `seconds` after some beginning. */
export function timeAt(seconds: number, nanos = 0) {
  return create(TimestampSchema, { seconds: BigInt(1_700_000_000 + seconds), nanos });
}

/** A build that went well, as a daemon remembers it. */
export function endedBuild(Ref: string, more: RecordInit = {}): RecordInit {
  return create(control.BuildHistoryRecordSchema, {
    Ref,
    CreatedAt: timeAt(0),
    CompletedAt: timeAt(2),
    ...(more as object),
  });
}
