import type { Duplex } from "node:stream";
import { abortError, throwIfAborted, untilAborted } from "../core/index.js";
import { ClientStream } from "./client-stream.js";
import { Http2Error } from "./http2-error.js";
import { type KeepAliveOptions, keepAlive } from "./keep-alive.js";
import { type RequestHeaders, requestHeaders } from "./request-headers.js";
import { streamChunks } from "./stream-chunks.js";
import { localWindows, type Windows } from "./windows.js";
import { Connection, errorCodes, maxHeaderBytes } from "./wire/index.js";

/** Options of {@link Http2Client.connect}. */
export interface ConnectOptions {
  /** {@link localWindows} when not given. */
  windows?: Windows;
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

/** What connect-node asks of a session manager (its NodeHttp2ClientSessionManager), with streams of ours for node:http2's. */
export interface SessionManager {
  authority: string;
  request(method: string, path: string, headers: RequestHeaders, options: object): Promise<ClientStream>;
  notifyResponseByteRead(stream: ClientStream): void;
}

/** What requests name as their authority. Nothing is resolved: the connection exists already. */
const authority = "localhost";

/** An HTTP/2 connection to a gRPC server, over any duplex. */
export class Http2Client implements AsyncDisposable {
  /** Resolves when the connection is over, for whatever reason; see {@link failure}. Never rejects. */
  readonly closed: Promise<void>;
  readonly #connection: Connection;

  private constructor(duplex: Duplex, windows: Windows) {
    this.#connection = new Connection(duplex, { windows, headerBytes: maxHeaderBytes });
    this.closed = this.#connection.closed.then(() => {
      duplex.destroy();
    });
  }

  /**
   * Starts HTTP/2 on the duplex, which is the client's from then on, and waits for the server's settings.
   *
   * @throws Http2Error when the duplex ends before; AbortedError
   */
  static async connect(duplex: Duplex, options: ConnectOptions = {}): Promise<Http2Client> {
    const { windows = localWindows, signal } = options;
    try {
      throwIfAborted(signal);
    } catch (error) {
      duplex.destroy();
      throw error;
    }
    const client = new Http2Client(duplex, windows);
    const connection = client.#connection;
    const ready = Promise.race([
      connection.ready,
      connection.closed.then((reason) => {
        throw reason;
      }),
    ]);
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
    return this.#connection.failure();
  }

  /**
   * Opens a stream. Values given as arrays are sent as separate headers. The caller handles the stream's errors.
   *
   * @throws the connection's failure
   */
  request(headers: RequestHeaders, options: RequestOptions = {}): ClientStream {
    const { signal } = options;
    throwIfAborted(signal);
    const refusal = this.#connection.refusal();
    if (refusal) throw refusal;
    const list = requestHeaders(authority, headers);
    const stream = new ClientStream((handler) => this.#connection.open(list, handler));
    if (signal) {
      const onAbort = () => stream.destroy(abortError(signal));
      signal.addEventListener("abort", onAbort, { once: true });
      stream.once("close", () => signal.removeEventListener("abort", onAbort));
    }
    if (options.keepAlive) {
      const watch = keepAlive(this.#connection, options.keepAlive, (error) =>
        this.#connection.close(error, errorCodes.NO_ERROR),
      );
      stream.once("close", () => watch[Symbol.dispose]());
    }
    return stream;
  }

  /**
   * This connection as connect-node's transport takes it: `createGrpcTransport({ baseUrl: …, sessionManager })`. A request
   * on a dead connection rejects with the reason of its death.
   *
   * @param inspect gives for a path what looks at the answer's bytes before they are read, and throws to end the call.
   */
  sessionManager(inspect?: (path: string) => ((chunk: Buffer) => void) | undefined): SessionManager {
    return {
      authority: `http://${authority}`,
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
    this.#connection.close(new Http2Error("HTTP2_CLOSED", "the connection was closed"));
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
