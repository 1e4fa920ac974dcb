import type { Duplex } from "node:stream";
import { Http2Error } from "./http2-error.js";
import type { ServerCall } from "./server-call.js";
import { StreamCall } from "./stream-call.js";
import { localWindows, type Windows } from "./windows.js";
import { Connection, maxHeaderBytes } from "./wire/index.js";

/** Options of {@link serveHttp2}. */
export interface ServeOptions {
  /** {@link localWindows} when not given. */
  windows?: Windows;
  /** Largest list of headers accepted for one call, in bytes. Default and maximum: 16 MiB less one. */
  maxHeaderBytes?: number;
  /** Takes every call the peer makes; must not throw. Calls are no longer handed over once the server is closed. */
  onCall: (call: ServerCall) => void;
}

/** An HTTP/2 server on one connection. */
export interface Http2Server {
  /** Resolves when the connection is over: with nothing after `close()`, with the reason otherwise. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Ends all calls, and our direction of the duplex. What the peer still sends is dropped. Idempotent. */
  close(): void;
}

/**
 * Serves gRPC calls over HTTP/2 with prior knowledge on a duplex that the caller owns, and closes. Repeated request
 * headers are kept apart, and there may be 16 MiB of them.
 */
export function serveHttp2(duplex: Duplex, options: ServeOptions): Http2Server {
  const { windows = localWindows, onCall } = options;
  const connection: Connection = new Connection(duplex, {
    windows,
    headerBytes: Math.min(options.maxHeaderBytes ?? maxHeaderBytes, maxHeaderBytes),
    onStream(stream, list) {
      onCall(new StreamCall(stream, list, () => connection.failure()));
    },
  });
  return {
    closed: connection.closed.then((failure) => (failure.code === "HTTP2_CLOSED" ? undefined : failure)),
    close: () => connection.close(new Http2Error("HTTP2_CLOSED", "the session is closed")),
  };
}
