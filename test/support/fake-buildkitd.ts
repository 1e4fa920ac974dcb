import { duplexPair, Duplex } from "node:stream";
import type { OutgoingHttpHeaders } from "node:http2";
import type { Dial } from "../../src/core/index.js";
import {
  Http2Client,
  type Http2Server,
  type ServerCall,
  frameMessage,
  frameHead,
  grpcCodes,
  serveHttp2,
  statusOf,
} from "../../src/http2/index.js";
import type { Attachable } from "../../src/session/index.js";
import { type CallStatus, GrpcCall } from "./grpc-call.js";

/** Options of {@link FakeBuildkitd}. */
export interface FakeBuildkitdOptions {
  /** Services beside Control.Session, e.g. `service(control.Control, { info: … })`. */
  services?: readonly Attachable[];
}

/**
 * A buildkitd in this process, scripted by the test. `dial` makes a connection to it. It takes Control.Session itself
 * and calls the session's services back through it, as buildkitd does; other calls go to `services`.
 */
export class FakeBuildkitd implements AsyncDisposable {
  /** The sessions opened so far. */
  readonly sessions: FakeSession[] = [];
  readonly dial: Dial;
  readonly #services = new Map<string, Attachable>();
  readonly #servers = new Set<Http2Server>();
  #wake: () => void = () => {};

  constructor(options: FakeBuildkitdOptions = {}) {
    for (const attachable of options.services ?? []) {
      for (const name of attachable.methods) this.#services.set(name.toLowerCase(), attachable);
    }
    this.dial = async () => {
      const [client, server] = duplexPair();
      this.serve(server);
      return client;
    };
  }

  /** Serves a connection that somebody else has made, e.g. one to a unix socket. */
  serve(duplex: Duplex): void {
    const server = serveHttp2(duplex, { onCall: (call) => void this.#handle(call) });
    this.#servers.add(server);
    void server.closed.then(() => {
      this.#servers.delete(server);
      duplex.destroy();
    });
  }

  /** The session with the number `index`, once it is open. */
  async session(index = 0): Promise<FakeSession> {
    for (;;) {
      const found = this.sessions[index];
      if (found) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.stop()));
    const servers = [...this.#servers];
    for (const server of servers) server.close();
    await Promise.all(servers.map((server) => server.closed));
  }

  async #handle(call: ServerCall): Promise<void> {
    try {
      if (call.path === "/moby.buildkit.v1.Control/Session") {
        const session = new FakeSession(call);
        this.sessions.push(session);
        this.#wake();
        await session.ended;
        call.end();
        return;
      }
      const attachable = this.#services.get(call.path.toLowerCase());
      if (!attachable) {
        call.end({ code: grpcCodes.unimplemented, message: `the fake does not serve ${call.path}` });
        return;
      }
      await attachable.handle(call);
      call.end();
    } catch (error) {
      call.end(statusOf(error));
    }
  }
}

/** buildkitd's end of one session. */
export class FakeSession {
  readonly id: string;
  readonly sharedKey: string;
  /** As advertised. */
  readonly methods: string[];
  /** The call of Control.Session. */
  readonly control: ServerCall;
  /** Resolves when the client has ended its side, or the call is over. */
  readonly ended: Promise<void>;
  readonly #tunnel: Duplex;
  readonly #client: Promise<Http2Client>;

  constructor(control: ServerCall) {
    this.control = control;
    this.id = control.header("x-docker-expose-session-uuid") ?? "";
    this.sharedKey = control.header("x-docker-expose-session-sharedkey") ?? "";
    this.methods = control.headerValues("x-docker-expose-session-grpc-method");
    this.#tunnel = tunnelOver(control);
    this.#client = Http2Client.connect(this.#tunnel);
    this.#client.catch(() => {});
    this.ended = new Promise((resolve) => {
      this.#tunnel.once("close", resolve);
      this.#tunnel.once("end", resolve);
      control.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** The connection inside the session, on which the client serves. */
  client(): Promise<Http2Client> {
    return this.#client;
  }

  /** Starts a call of one of the client's services. */
  async call(path: string, headers: OutgoingHttpHeaders = {}): Promise<GrpcCall> {
    return new GrpcCall(await this.client(), path, headers);
  }

  /** Calls a unary method with a serialised request. */
  async unary(
    path: string,
    request: Uint8Array,
  ): Promise<{ status: CallStatus; response: Buffer | undefined }> {
    const call = await this.call(path);
    call.stream.end(frameMessage(request));
    const status = await call.status;
    return { status, response: call.received[0] };
  }

  /** Ends the session from the daemon's side, with OK. */
  async stop(): Promise<void> {
    const client = await this.#client.catch(() => undefined);
    client?.close();
    this.control.end();
    this.#tunnel.destroy();
    await client?.closed;
  }
}

/** The byte pipe in a Control.Session call, as the daemon sees it. */
function tunnelOver(call: ServerCall): Duplex {
  const incoming = call.bytesField()[Symbol.asyncIterator]();
  const letGo = async () => {
    try {
      await incoming.return?.();
    } catch {
      // The call was cancelled.
    }
  };
  return new Duplex({
    read() {
      incoming.next().then(
        ({ value, done }) => this.push(done === true ? null : value),
        (error: Error) => this.destroy(error),
      );
    },
    write(chunk: Buffer, _encoding, callback) {
      if (call.write([frameHead(chunk.length), chunk])) callback();
      // oxlint-disable-next-line promise/no-callback-in-promise
      else call.drained().then(() => callback(), callback);
    },
    final(callback) {
      call.end();
      callback();
    },
    destroy(error, callback) {
      void letGo();
      callback(error);
    },
  }).on("error", () => {});
}
