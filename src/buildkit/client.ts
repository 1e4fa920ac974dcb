import type { Duplex, Readable } from "node:stream";
import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { type GrpcTransportOptions, createGrpcTransport } from "@connectrpc/connect-node";
import {
  type Dial,
  InvalidArgumentError,
  abortError,
  allowListeners,
  isSlipwayError,
  readOptions,
} from "../core/index.js";
import {
  type ClientStream,
  Http2Client,
  type KeepAliveOptions,
  type RequestHeaders,
  type RequestOptions,
  type Windows,
  errorName,
  frameMessage,
  grpcCodes,
  localWindows,
} from "../http2/index.js";
import { BuildkitError, connectionLost, protocolError, toBuildkitError } from "./buildkit-error.js";
import { BlobStream } from "./blob-stream.js";
import { Content, ReadContentRequestSchema } from "./gen/containerd/services/content/v1/content_pb.js";
import { Control } from "./gen/moby/buildkit/v1/control_pb.js";
import { LLBBridge } from "./gen/moby/buildkit/v1/frontend/gateway_pb.js";
import type { WorkerRecord } from "./gen/moby/buildkit/v1/types/worker_pb.js";
import { toHeaderValue } from "./header-value.js";
import { type RpcClientOptions, createRpcClient } from "./rpc-client.js";
import { inspectAnswers } from "./message-parts.js";
import type { RpcClient } from "./rpc-types.js";
import { callKinds, connectKinds, openSessionKinds, workersKinds } from "./option-kinds.js";
import type { ClientSpan } from "./client-span.js";
import { SessionPipe } from "./session-pipe.js";
import { soundWorkers } from "./sound-workers.js";

/** Options of {@link BuildkitClient.connect}. */
export interface BuildkitConnectOptions {
  /** Receive windows; for a local socket when not given. */
  windows?: Windows | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of a single call. */
export interface BuildkitCallOptions {
  signal?: AbortSignal | undefined;
}

/** Options of {@link BuildkitClient.openSession}. */
export interface OpenSessionOptions extends BuildkitCallOptions {
  /** The session's id, which SolveRequest.Session names. */
  id: string;
  /** Lets the daemon recognise contexts it got from here before; may be empty, and of any characters. */
  sharedKey: string;
  /** What we serve, `/package.Service/Method`. The daemon does not call what is not listed. */
  methods: readonly string[];
  /** When a silent daemon counts as dead. A live one sends something every 5 s. Default: see {@link KeepAliveOptions}. */
  keepAlive?: KeepAliveOptions | undefined;
}

/** What a daemon says about itself. `version` is undefined when it is older than 0.11, which cannot be asked. */
export interface DaemonInfo {
  version: string | undefined;
  revision: string;
  package: string;
  dockerfileVersion: string;
}

type ConnectSessionManager = NonNullable<GrpcTransportOptions["sessionManager"]>;

/** BuildKit's own limit for one message, in bytes (client and daemon). */
const maxMessageBytes = 16 * 1024 * 1024;

/**
 * One connection to a buildkitd: its Control, LLBBridge and Content services. There is no reconnecting; when the
 * connection dies every call fails with `BUILDKIT_CONNECTION_LOST`. Errors of all calls are {@link BuildkitError}s, or the
 * caller's own abort.
 */
export class BuildkitClient implements AsyncDisposable {
  readonly control: RpcClient<typeof Control>;
  /** The daemon's content store, read-only. See `readContent`. */
  readonly content: RpcClient<typeof Content>;
  /** Resolves when the connection has ended, with the error unless {@link close} ended it. */
  readonly closed: Promise<Error | undefined>;
  readonly #http2: Http2Client;
  readonly #transport: Transport;
  readonly #calls: RpcClientOptions;
  #info: DaemonInfo | undefined;
  #closing = false;

  /**
   * Dials and speaks HTTP/2. That a daemon answers is known only after the first call, e.g. {@link info}.
   *
   * @throws whatever `dial` throws, or why HTTP/2 could not be established.
   */
  static async connect(dial: Dial, options: BuildkitConnectOptions = {}): Promise<BuildkitClient> {
    const { windows = localWindows, signal } = readOptions("BuildkitClient.connect()", options, connectKinds);
    if (typeof dial !== "function")
      throw new InvalidArgumentError("BuildkitClient.connect() takes a function that dials");
    const duplex = await dial(signal);
    const http2 = await Http2Client.connect(duplex, { windows, ...(signal && { signal }) });
    return new BuildkitClient(http2);
  }

  private constructor(http2: Http2Client) {
    this.#http2 = http2;
    const ended = new AbortController();
    // Each call listens, however many there are at once.
    allowListeners(ended.signal);
    this.closed = http2.closed.then(() => {
      const reason = connectionLost(http2.failure());
      ended.abort(reason);
      return this.#closing ? undefined : reason;
    });
    const sessionManager = http2.sessionManager(inspectAnswers([Control, LLBBridge]));
    this.#transport = createGrpcTransport({
      baseUrl: sessionManager.authority,
      // Of a stream it uses what ClientStream has.
      sessionManager: sessionManager as unknown as ConnectSessionManager,
      // buildkitd would gzip everything of 1 KiB and more, at four times the cost (measured).
      acceptCompression: [],
      // Fields that are newer than this library are of no use to it.
      binaryOptions: { readUnknownFields: false },
      readMaxBytes: maxMessageBytes,
      writeMaxBytes: maxMessageBytes,
    });
    this.#calls = { ended: ended.signal, explain: this.#explain };
    this.control = createRpcClient(Control, this.#transport, this.#calls);
    this.content = createRpcClient(Content, this.#transport, this.#calls);
  }

  /** The gateway of the build whose SolveRequest.Ref is `ref`. The daemon holds calls up to 3 s until it is solved. */
  gateway(ref: string, headers: Record<string, string> = {}): RpcClient<typeof LLBBridge> {
    for (const value of [ref, ...Object.keys(headers), ...Object.values(headers)]) requireHeaderValue(value);
    return createRpcClient(LLBBridge, this.#transport, {
      ...this.#calls,
      headers: { ...headers, "buildkit-controlapi-buildid": ref },
    });
  }

  /**
   * Opens Control.Session as a byte pipe in which the daemon will speak HTTP/2 as the client. It lives until it is ended
   * or destroyed, `signal` aborts, or the daemon or the connection ends it.
   */
  async openSession(options: OpenSessionOptions): Promise<Duplex> {
    const given = readOptions("openSession()", options, openSessionKinds);
    const { id, sharedKey, methods, keepAlive = {}, signal } = given;
    for (const value of [id, ...methods]) requireHeaderValue(value);
    const key = toHeaderValue(sharedKey);
    requireHeaderValue(key.value);
    if (signal?.aborted) throw abortError(signal);
    const failure = this.#http2.failure();
    if (failure) throw connectionLost(failure);
    const stream = begin(
      this.#http2,
      {
        ":method": "POST",
        ":path": `/${Control.typeName}/${Control.method.session.name}`,
        ":scheme": "http",
        ":authority": "localhost",
        "content-type": "application/grpc",
        te: "trailers",
        "x-docker-expose-session-uuid": id,
        "x-docker-expose-session-sharedkey": key.value,
        ...(key.encoded && { "x-docker-expose-session-sharedkey-encoded": "1" }),
        // One header for each method: joined by commas they would be one unknown method.
        "x-docker-expose-session-grpc-method": [...methods],
      },
      { keepAlive },
    );
    return new SessionPipe(stream, { signal, explain: this.#explainReset });
  }

  /**
   * A blob of the daemon's content store as a stream, framed by hand: for layers, where connect would cost several times as
   * much. Nothing is checked; who takes the bytes checks their digest. See `readContent` for small blobs.
   */
  openBlob(digest: string, options: BuildkitCallOptions = {}): Readable {
    const { signal } = readOptions("openBlob()", options, callKinds);
    requireHeaderValue(digest);
    const stream = begin(this.#http2, {
      ":method": "POST",
      ":path": `/${Content.typeName}/${Content.method.read.name}`,
      ":scheme": "http",
      ":authority": "localhost",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const request = toBinary(ReadContentRequestSchema, create(ReadContentRequestSchema, { digest }));
    return new BlobStream(stream, frameMessage(request), {
      signal,
      explain: this.#explainReset,
    });
  }

  /** The daemon's version. Asked for once: it stays the same as long as the connection does. */
  async info(options: BuildkitCallOptions = {}): Promise<DaemonInfo> {
    const given = readOptions("info()", options, callKinds);
    return (this.#info ??= await this.#askInfo(given));
  }

  async #askInfo({ signal }: BuildkitCallOptions): Promise<DaemonInfo> {
    try {
      const { buildkitVersion: found } = await this.control.info({}, { ...(signal && { signal }) });
      return {
        version: found?.version ?? "",
        revision: found?.revision ?? "",
        package: found?.package ?? "",
        dockerfileVersion: found?.dockerfileVersion ?? "",
      };
    } catch (error) {
      if (!(error instanceof BuildkitError) || error.grpcCode !== grpcCodes.unimplemented) throw error;
      return { version: undefined, revision: "", package: "", dockerfileVersion: "" };
    }
  }

  /**
   * The daemon's workers. `filter` is in containerd's filter language.
   *
   * @throws BuildkitError `BUILDKIT_PROTOCOL` when they name an invalid platform.
   */
  async workers(options: BuildkitCallOptions & { filter?: string[] } = {}): Promise<WorkerRecord[]> {
    const { filter = [], signal } = readOptions("workers()", options, workersKinds);
    const { record } = await this.control.listWorkers({ filter }, { ...(signal && { signal }) });
    return soundWorkers(record);
  }

  /**
   * Hands over what a client did in a trace; a build that is recorded under it keeps that (OTLP TraceService.Export). Without
   * spans nothing is sent.
   *
   * @throws BuildkitError e.g. where the daemon does not collect traces
   */
  async sendSpans(spans: readonly ClientSpan[], options: BuildkitCallOptions = {}): Promise<void> {
    const { signal } = readOptions("sendSpans()", options, callKinds);
    const { sendSpans } = await import("./send-spans.js");
    if (spans.length > 0) await sendSpans(spans, this.#transport, this.#calls, signal);
  }

  /** Ends the connection and all calls on it. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#http2.close();
    await this.#http2.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #explain = async (error: unknown, signal: AbortSignal | undefined): Promise<Error> => {
    if (signal?.aborted) return abortError(signal);
    // A lost connection looks like a stream that somebody cancelled (measured with connect-node 2.1). A status that came over
    // the wire is the daemon's word, whatever happened since.
    const answered = error instanceof ConnectError && error.metadata.has("grpc-status");
    if (!answered) {
      const failure = this.#http2.failure();
      if (failure) return connectionLost(failure);
    }
    return toBuildkitError(error);
  };

  readonly #explainReset = (reset: number): Error => {
    const failure = this.#http2.failure();
    return failure
      ? connectionLost(failure)
      : protocolError(`buildkitd reset the stream (${errorName(reset)})`);
  };
}

/** @throws BuildkitError `BUILDKIT_CONNECTION_LOST` when the connection takes no more calls. */
function begin(http2: Http2Client, headers: RequestHeaders, options?: RequestOptions): ClientStream {
  try {
    return http2.request(headers, options);
  } catch (error) {
    throw isSlipwayError(error) ? toBuildkitError(error) : error;
  }
}

/** Longest value of metadata, in bytes. */
const longestHeaderValue = 32 * 1024;

function requireHeaderValue(value: string): void {
  if (value.length > longestHeaderValue)
    throw new InvalidArgumentError(
      `cannot be sent as metadata: ${JSON.stringify(value.slice(0, 40))}… has ${value.length} bytes, at most ${longestHeaderValue} are possible`,
    );
  // gRPC metadata is printable ASCII (PROTOCOL-HTTP2.md, "ASCII-Value").
  if (!/^[\x20-\x7e]*$/.test(value)) {
    throw new InvalidArgumentError(`cannot be sent as metadata: ${JSON.stringify(value)}`);
  }
}
