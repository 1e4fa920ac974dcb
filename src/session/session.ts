import type { Duplex } from "node:stream";
import type { BuildkitClient } from "../buildkit/index.js";
import { InvalidArgumentError, isSlipwayError, messageOf, randomId, readOptions } from "../core/index.js";
import {
  type Http2Server,
  type KeepAliveOptions,
  type ServerCall,
  type Windows,
  grpcCodes,
  serveHttp2,
  statusOf,
} from "../http2/index.js";
import type { Attachable } from "./attachable.js";
import { healthMethods, serveHealth } from "./health.js";
import { sessionKinds } from "./option-kinds.js";
import { SessionError } from "./session-error.js";
import { SuspensionWatch } from "./suspension-watch.js";

/** Options of {@link Session.open}. */
export interface SessionOptions {
  /** What the builder may ask for. Of two with the same method the first serves it. */
  attachables: readonly Attachable[];
  /** Lets the builder recognise contexts that it got from here before; may be empty. */
  sharedKey: string;
  /** 25 characters of base 36; a random one when not given. A daemon takes an id once. */
  id?: string | undefined;
  /** Receive windows inside the session; those of a local socket when not given. */
  windows?: Windows | undefined;
  /** When a builder that says nothing counts as dead; see {@link KeepAliveOptions}. */
  keepAlive?: KeepAliveOptions | undefined;
  /** Aborting it ends the session at once, also after it was opened. */
  signal?: AbortSignal | undefined;
}

/** How long the builder gets to end its side, in milliseconds. */
const drainMilliseconds = 2000;

/**
 * A session: the connection inside Control.Session on which the builder is the gRPC client and we are the server
 * (buildkit session.Session). The builder dials it once; a session that was lost cannot be taken up again.
 */
export class Session implements AsyncDisposable {
  readonly id: string;
  /** Resolves when the session is over: with nothing after {@link close}, else with the reason. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly #pipe: Duplex;
  readonly #server: Http2Server;
  readonly #methods: ReadonlyMap<string, Attachable>;
  readonly #running = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  /**
   * Opens the session and serves from then on. The builder must know it before a solve names it; its calls to open
   * sessions and to solve may go out together, as it waits for a session's id.
   *
   * @throws BuildkitError when the connection is lost; AbortedError
   */
  static async open(client: BuildkitClient, options: SessionOptions): Promise<Session> {
    const given = readOptions("Session.open()", options, sessionKinds);
    const { attachables, sharedKey, id = randomId(), windows, keepAlive, signal } = given;
    if (attachables === undefined || sharedKey === undefined)
      throw new InvalidArgumentError("Session.open() needs the options attachables and sharedKey");
    const methods = new Map<string, Attachable>();
    const names = [...healthMethods];
    for (const attachable of attachables) {
      for (const name of attachable.methods) {
        if (methods.has(name.toLowerCase())) continue;
        methods.set(name.toLowerCase(), attachable);
        names.push(name);
      }
    }
    const pipe = await client.openSession({ id, sharedKey, methods: names, keepAlive, signal });
    return new Session(id, pipe, methods, windows);
  }

  private constructor(
    id: string,
    pipe: Duplex,
    methods: ReadonlyMap<string, Attachable>,
    windows: Windows | undefined,
  ) {
    this.id = id;
    this.#pipe = pipe;
    this.#methods = methods;
    const suspension = new SuspensionWatch();
    let pipeError: Error | undefined;
    pipe.on("error", (error) => (pipeError = error));
    this.#server = serveHttp2(pipe, { ...(windows && { windows }), onCall: (call) => this.#dispatch(call) });
    this.closed = this.#server.closed.then((failure) => {
      const suspended = suspension.wasSuspended();
      suspension[Symbol.dispose]();
      if (this.#closing) return undefined;
      pipe.destroy();
      return lostError(pipeError ?? failure, suspended);
    });
  }

  /**
   * Ends the session: calls under way are cancelled, nothing is served any more, and the builder gets 2 s to end its
   * side. Resolves when the handlers have returned or that time is over. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const pipe = this.#pipe;
    const ended = pipe.closed
      ? Promise.resolve()
      : new Promise<void>((resolve) => pipe.once("close", resolve));
    this.#server.close();
    await this.#server.closed;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMilliseconds);
    });
    await Promise.race([Promise.all([ended, ...this.#running]), late]);
    clearTimeout(timer);
    pipe.destroy();
  }

  #dispatch(call: ServerCall): void {
    const path = call.path.toLowerCase();
    // First, and without a turn of the event loop in between: two missed checks end the session.
    if (serveHealth(path, call)) return;
    const attachable = this.#methods.get(path);
    if (!attachable) {
      call.end({
        code: grpcCodes.unimplemented,
        message: `method ${call.path} is not served by this session`,
      });
      return;
    }
    const running: Promise<void> = this.#serve(attachable, call).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #serve(attachable: Attachable, call: ServerCall): Promise<void> {
    try {
      await attachable.handle(call);
      call.end();
    } catch (error) {
      call.end(statusOf(error));
    }
  }
}

function lostError(failure: Error | undefined, suspended: boolean): Error {
  if (isSlipwayError(failure, "ABORTED")) return failure;
  const options = { grpcCode: grpcCodes.unavailable, ...(failure && { cause: failure }) };
  if (suspended) {
    return new SessionError(
      "SESSION_SUSPENDED",
      "session was dropped by the builder (client was suspended)",
      options,
    );
  }
  const why = failure ? `: ${messageOf(failure)}` : "";
  return new SessionError("SESSION_LOST", `session was dropped by the builder${why}`, options);
}
