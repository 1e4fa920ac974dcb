import { Duplex } from "node:stream";
import type { Dial } from "../../src/core/index.js";
import {
  GrpcError,
  grpcCodes,
  localWindows,
  serveHttp2,
  type ServerCall,
  statusOf,
} from "../../src/http2/index.js";
import type { Attachable } from "../../src/session/index.js";

/** A gRPC server in this process that knows nothing of BuildKit but the services it is given; see {@link plainDaemon}. */
export interface PlainDaemon extends AsyncDisposable {
  readonly dial: Dial;
  /** Every call so far, in order. */
  readonly calls: ServerCall[];
  /** Takes all connections away, as if the daemon had died. */
  lose(error?: Error): void;
}

/** Serves the attachables on in-memory connections; a method that none has is answered with UNIMPLEMENTED. */
export function plainDaemon(...attachables: Attachable[]): PlainDaemon {
  const routes = new Map(attachables.flatMap((one) => one.methods.map((name) => [name, one] as const)));
  const calls: ServerCall[] = [];
  const sockets: Duplex[] = [];
  const servers: ReturnType<typeof serveHttp2>[] = [];
  const handle = async (call: ServerCall) => {
    calls.push(call);
    try {
      const route = routes.get(call.path);
      if (!route) throw new GrpcError(grpcCodes.unimplemented, `unknown method ${call.path}`);
      await route.handle(call);
      call.end();
    } catch (error) {
      call.end(statusOf(error));
    }
  };
  return {
    calls,
    async dial() {
      const ours = new Side();
      const theirs = new Side();
      ours.other = theirs;
      theirs.other = ours;
      sockets.push(theirs);
      servers.push(serveHttp2(ours, { windows: localWindows, onCall: (call) => void handle(call) }));
      return theirs;
    },
    lose(error) {
      for (const socket of sockets) socket.destroy(error);
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.close();
      await Promise.all(servers.map((server) => server.closed));
    },
  };
}

/**
 * One end of a connection that buffers, as the kernel does. `duplexPair` finishes a write only when the other end reads,
 * and node:http2 does not read while it writes: two of them on such a pair wait for each other for ever.
 */
class Side extends Duplex {
  other: Side | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.other?.push(chunk);
    callback();
  }

  override _final(callback: () => void): void {
    this.other?.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.other?.destroy();
    callback(error);
  }
}
