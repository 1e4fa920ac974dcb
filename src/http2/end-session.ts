import type { Http2Session } from "node:http2";
import type { Duplex } from "node:stream";

/**
 * Ends a session with all its streams, and then the stream that it runs on. GOAWAY goes out before, unless the peer has
 * stopped reading: node would wait for that without end. Streams get `error`, if there is one.
 */
export function endSession(session: Http2Session, stream: Duplex, error?: Error): void {
  // From Node 26 on a session that is destroyed while it writes to a stream that is no socket does not say GOAWAY.
  if (!session.closed && !session.destroyed && !session.connecting) session.close();
  setImmediate(() => {
    session.destroy(error);
    setImmediate(() => stream.destroy());
  });
}
