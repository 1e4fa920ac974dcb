import * as http2 from "node:http2";
import type { Duplex } from "node:stream";
import { CoalescedStream } from "./coalesced-stream.js";
import { endSession } from "./end-session.js";
import { maxHeaderBytes } from "./header-coalescer.js";
import { HeaderBudget } from "./header-budget.js";
import { Http2Error } from "./http2-error.js";
import type { ServerCall } from "./server-call.js";
import { watchFailure } from "./session-failure.js";
import { StreamCall } from "./stream-call.js";
import { localWindows, type Windows } from "./windows.js";

type StreamEvent = [
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
];

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
  const headerBytes = Math.min(options.maxHeaderBytes ?? maxHeaderBytes, maxHeaderBytes);
  const stream = new CoalescedStream(duplex, { preface: true, limit: headerBytes });
  const session = http2.performServerHandshake(stream, {
    settings: {
      initialWindowSize: windows.stream,
      maxFrameSize: maxHeaderBytes,
      // grpc-go compares its headers with this before it sends them, and names both sizes in its error.
      maxHeaderListSize: headerBytes,
      maxConcurrentStreams: 1000,
      enablePush: false,
    },
    // Every header counts as at least 32 bytes.
    maxHeaderListPairs: Math.ceil(headerBytes / 32) + 16,
    // In MiB. Counts header lists and outgoing frames, not what waits in streams.
    maxSessionMemory: 256,
  });
  session.setLocalWindowSize(windows.connection);
  const watch = watchFailure(session, stream);
  const budget = new HeaderBudget((error) => {
    watch.fail(error);
    endSession(session, stream);
  });
  // @types/node 20 does not know the fourth argument, which alone keeps repeated headers apart.
  session.on("stream", (...[http2Stream, , , rawHeaders]: StreamEvent) => {
    budget.hold(http2Stream, rawHeaders);
    const call = new StreamCall(http2Stream, rawHeaders, () => watch.failure());
    if (watch.failure()) call.reset();
    else onCall(call);
  });
  return {
    closed: watch.closed.then((failure) => (failure.code === "HTTP2_CLOSED" ? undefined : failure)),
    close() {
      watch.fail(new Http2Error("HTTP2_CLOSED", "the session is closed"));
      endSession(session, stream);
    },
  };
}
