import type { Duplex } from "node:stream";
import { type AnswerHandler, Connection } from "./connection.js";
import { Http1Error } from "./http1-error.js";
import { type OutgoingRequest, type PreparedRequest, prepareRequest } from "./outgoing.js";

/** Requests that may be sent twice. */
const repeatable = new Set(["GET", "HEAD"]);

/** Connections to one peer, as many as there are requests at a time; each is used again when its answer is complete. */
export class Pool {
  readonly #host: string;
  readonly #dial: () => Promise<Duplex>;
  /** Used last, used first: the others come to their end. */
  readonly #free: Connection[] = [];
  readonly #all = new Set<Connection>();
  #isClosed = false;

  /** @param host for the Host header. @param dial opens a connection; its errors go to who asked. */
  constructor(host: string, dial: () => Promise<Duplex>) {
    this.#host = host;
    this.#dial = dial;
  }

  /** Sends a request; its handler is told of everything that becomes of it, nothing is thrown. */
  dispatch(request: OutgoingRequest, handler: AnswerHandler): void {
    let prepared: PreparedRequest;
    try {
      prepared = prepareRequest(request, this.#host);
    } catch (error) {
      handler.onResponseError(undefined, error as Error);
      return;
    }
    const onNew = () => void this.#runOnNew(prepared, handler);
    const free = request.close ? undefined : this.#free.pop();
    // A peer may close a connection just when it is used again: what got no answer at all is asked on a new one.
    if (free) free.run(prepared, handler, repeatable.has(request.method) ? onNew : undefined);
    else onNew();
  }

  /** Ends all connections, and what is under way on them. */
  destroy(): void {
    this.#isClosed = true;
    for (const connection of this.#all) connection.destroy(closedError());
  }

  async #runOnNew(request: PreparedRequest, handler: AnswerHandler): Promise<void> {
    try {
      const socket = await this.#dial();
      const connection = new Connection(socket, {
        onFree: (one) => void this.#free.push(one),
        onGone: (one) => this.#forget(one),
      });
      this.#all.add(connection);
      if (this.#isClosed) {
        connection.destroy(closedError());
        throw closedError();
      }
      connection.run(request, handler);
    } catch (error) {
      handler.onResponseError(undefined, error as Error);
    }
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#free.indexOf(connection);
    if (at >= 0) this.#free.splice(at, 1);
  }
}

function closedError(): Http1Error {
  return new Http1Error("closed", "the connections were closed by their owner");
}
