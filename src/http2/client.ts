import * as http2 from "node:http2";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { abortError, throwIfAborted, untilAborted } from "../core/index.js";
import { CoalescedStream } from "./coalesced-stream.js";
import { endSession } from "./end-session.js";
import { HeaderBudget } from "./header-budget.js";
import { Http2Error } from "./http2-error.js";
import { type KeepAliveOptions, keepAlive } from "./keep-alive.js";
import { type FailureWatch, watchFailure } from "./session-failure.js";
import { streamChunks } from "./stream-chunks.js";
import { localWindows, type Windows } from "./windows.js";

/** Options of {@link Http2Client.connect}. */
export interface ConnectOptions {
  /** {@link localWindows} when not given. */
  windows?: Windows;
  /**
   * For a connection that carries a session: a `net.Socket` is then read and written by node:http2 itself, which halves
   * the processor time of a transfer, but ends the connection at 128 KiB of response headers or trailers.
   */
  payload?: boolean;
  /** Ends the attempt to connect, not the connection. */
  signal?: AbortSignal;
}

/** Options of {@link Http2Client.request}. */
export interface RequestOptions {
  /** Resets the stream with CANCEL. */
  signal?: AbortSignal;
  /**
   * While the stream is open, checks that the peer is alive; see {@link KeepAliveOptions}. For the one stream that
   * carries a session, on which the daemon sends something every 5 s.
   */
  keepAlive?: KeepAliveOptions;
}

/** What connect-node asks of a session manager (its NodeHttp2ClientSessionManager, which it does not export). */
export interface SessionManager {
  authority: string;
  request(
    method: string,
    path: string,
    headers: http2.OutgoingHttpHeaders,
    options: object,
  ): Promise<http2.ClientHttp2Stream>;
  notifyResponseByteRead(stream: http2.ClientHttp2Stream): void;
}

/** What requests name as their authority. Nothing is resolved: the connection exists already. */
const authority = "http://localhost";
// Largest list of response headers and trailers, in bytes; what grpc-go takes as a client.
const headerBytes = 16 * 1024 * 1024 - 1;

/** An HTTP/2 connection to a gRPC server, over any duplex. */
export class Http2Client implements AsyncDisposable {
  /** Resolves when the connection is over, for whatever reason; see {@link failure}. Never rejects. */
  readonly closed: Promise<void>;
  readonly #session: http2.ClientHttp2Session;
  readonly #watch: FailureWatch;
  readonly #budget: HeaderBudget;
  readonly #stream: Duplex;
  readonly #bytesReceived: () => number;

  private constructor(duplex: Duplex, windows: Windows, payload: boolean) {
    let stream: Duplex;
    if (payload && duplex instanceof Socket) {
      stream = duplex;
      this.#bytesReceived = () => duplex.bytesRead;
      duplex.once("end", () => duplex.destroy());
    } else {
      const coalesced = new CoalescedStream(duplex, { preface: false });
      stream = coalesced;
      this.#bytesReceived = () => coalesced.bytesReceived;
    }
    this.#stream = stream;
    const session = http2.connect(authority, {
      createConnection: () => stream,
      settings: {
        enablePush: false,
        initialWindowSize: windows.stream,
        maxFrameSize: headerBytes,
        maxHeaderListSize: headerBytes,
      },
      maxHeaderListPairs: 4096,
      maxSessionMemory: 256,
      maxSendHeaderBlockLength: headerBytes,
    });
    this.#session = session;
    this.#watch = watchFailure(session, stream);
    this.#budget = new HeaderBudget((error) => {
      this.#watch.fail(error);
      endSession(session, stream, error);
    });
    // Before "connect" it throws (nodejs/node 38427).
    session.once("connect", () => {
      if (!session.destroyed) session.setLocalWindowSize(windows.connection);
    });
    this.closed = this.#watch.closed.then(() => {
      duplex.destroy();
    });
  }

  /**
   * Starts HTTP/2 on the duplex, which is the client's from then on, and waits for the server's settings.
   *
   * @throws Http2Error when the duplex ends before; AbortedError
   */
  static async connect(duplex: Duplex, options: ConnectOptions = {}): Promise<Http2Client> {
    const { windows = localWindows, payload = false, signal } = options;
    try {
      throwIfAborted(signal);
    } catch (error) {
      duplex.destroy();
      throw error;
    }
    const client = new Http2Client(duplex, windows, payload);
    const ready = new Promise<void>((resolve, reject) => {
      client.#session.once("remoteSettings", () => resolve());
      void client.#watch.closed.then(reject);
    });
    try {
      await (signal ? untilAborted(signal, ready) : ready);
    } catch (error) {
      client.close();
      await client.closed;
      throw error;
    }
    return client;
  }

  /**
   * Why the connection can no longer be used; undefined while it can. On a stream each of these reasons looks like
   * CANCEL.
   */
  failure(): Error | undefined {
    return this.#watch.failure();
  }

  /**
   * Opens a stream. Values given as arrays are sent as separate headers. The caller handles the stream's errors.
   *
   * @throws the connection's failure
   */
  request(headers: http2.OutgoingHttpHeaders, options: RequestOptions = {}): http2.ClientHttp2Stream {
    const { signal } = options;
    throwIfAborted(signal);
    const refusal = this.#watch.refusal();
    if (refusal) throw refusal;
    const stream = this.#open(headers);
    // Added as the first listener, so that all others get the error with its meaning. Node resets a stream with this code
    // when it has more header fields or bytes than allowed; a peer that is called too often does the same.
    stream.on("error", (error) => {
      if (stream.rstCode === http2.constants.NGHTTP2_ENHANCE_YOUR_CALM)
        error.message =
          "the answer has more headers than are taken, or the other side wants fewer calls (ENHANCE_YOUR_CALM)";
    });
    const take = (list: http2.IncomingHttpHeaders, ...rest: unknown[]) => {
      const raw = rest[1];
      if (!Array.isArray(raw)) return;
      this.#budget.hold(stream, raw as string[]);
      joinStatus(list, raw as string[]);
    };
    stream.on("response", take);
    stream.on("trailers", take);
    if (signal) {
      const onAbort = () => {
        // The error is what the stream's user sees; the peer gets CANCEL, not the INTERNAL_ERROR of destroy(error).
        stream.close(http2.constants.NGHTTP2_CANCEL);
        stream.destroy(abortError(signal));
      };
      signal.addEventListener("abort", onAbort, { once: true });
      stream.once("close", () => signal.removeEventListener("abort", onAbort));
    }
    if (options.keepAlive) {
      const watch = keepAlive(this.#session, this.#bytesReceived, options.keepAlive, (error) => {
        this.#watch.fail(error);
        endSession(this.#session, this.#stream, error);
      });
      stream.once("close", () => watch[Symbol.dispose]());
    }
    return stream;
  }

  #open(headers: http2.OutgoingHttpHeaders): http2.ClientHttp2Stream {
    try {
      return this.#session.request({ ":method": "POST", te: "trailers", ...headers });
    } catch (error) {
      // Either the session is being torn down and has not said why yet, or the headers cannot be sent.
      if (!this.#session.destroyed && !this.#session.closed) throw error;
      throw new Http2Error("HTTP2_LOST", "the connection is going down", { cause: error });
    }
  }

  /**
   * This connection as connect-node's transport takes it: `createGrpcTransport({ baseUrl: manager.authority,
   * sessionManager: manager, httpVersion … })`. A request on a dead connection rejects with the reason of its death.
   *
   * @param inspect gives for a path what looks at the answer's bytes before they are read, and throws to end the call.
   */
  sessionManager(inspect?: (path: string) => ((chunk: Buffer) => void) | undefined): SessionManager {
    return {
      authority,
      request: (method, path, headers) =>
        new Promise((resolve) => {
          const stream = this.request({ ...headers, ":method": method, ":path": path });
          const look = inspect?.(path);
          // connect-node reads by iterating.
          stream[Symbol.asyncIterator] = () =>
            look ? inspected(streamChunks(stream), look) : streamChunks(stream);
          resolve(stream);
        }),
      notifyResponseByteRead() {},
    };
  }

  /** Ends all streams and the connection, at once. Idempotent. */
  close(): void {
    this.#watch.fail(new Http2Error("HTTP2_CLOSED", "the connection was closed"));
    endSession(this.#session, this.#stream);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }
}

/** Chunks that are looked at on their way. */
async function* inspected(
  chunks: AsyncGenerator<Buffer, void, undefined>,
  look: (chunk: Buffer) => void,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    look(chunk);
    yield chunk;
  }
}

/**
 * Joins status headers that came in pieces (see {@link HeaderCoalescer}; node puts `, ` between them). Added as the first
 * listener, so that all others get whole headers.
 */
function joinStatus(headers: http2.IncomingHttpHeaders, raw: readonly string[]): void {
  for (const name of ["grpc-message", "grpc-status-details-bin"]) {
    const pieces = raw.filter((_, index) => index % 2 === 1 && raw[index - 1] === name);
    if (pieces.length > 1) headers[name] = pieces.join("");
  }
}
