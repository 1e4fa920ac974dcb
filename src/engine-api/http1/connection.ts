import type { Duplex } from "node:stream";
import { type AnswerHead, malformed } from "./answer-head.js";
import { AnswerParser } from "./answer-parser.js";
import { Http1Error } from "./http1-error.js";
import { type PreparedRequest, sendChunks } from "./outgoing.js";

/** What holds the answer that is coming in. */
export interface AnswerControl {
  /** Reads no more until {@link resume}. What has been read is still handed on. */
  pause(): void;
  resume(): void;
  /** Ends the exchange, and with it the connection; the handler is told this error. */
  abort(reason: Error): void;
}

/** Gets what becomes of one request: after `onRequestStart` one of the others, or `onResponseStart` and what follows it. */
export interface AnswerHandler {
  /** Nothing has been sent yet; by {@link AnswerControl.abort} nothing is. */
  onRequestStart(control: AnswerControl): void;
  onResponseStart(control: AnswerControl, status: number, headers: AnswerHead["headers"]): void;
  onResponseData(control: AnswerControl, data: Buffer): void;
  onResponseEnd(control: AnswerControl): void;
  /** The connection is the handler's now. */
  onRequestUpgrade(
    control: AnswerControl,
    status: number,
    headers: AnswerHead["headers"],
    socket: Duplex,
  ): void;
  onResponseError(control: AnswerControl | undefined, error: Error): void;
}

/** What a {@link Connection} tells whoever keeps it. */
export interface ConnectionEvents {
  /** The answer is complete, and another request may be sent. */
  onFree(connection: Connection): void;
  onGone(connection: Connection): void;
}

/** How long an unused connection is kept, and what a peer's own limit is cut by, in ms (undici has the same). */
const idleMilliseconds = 4_000;
const idleMargin = 2_000;
const mostHeaderBytes = 64 * 1024;

/** One connection for one request at a time. */
export class Connection {
  readonly #socket: Duplex;
  readonly #events: ConnectionEvents;
  #exchange: RunningExchange | undefined;
  #idleMilliseconds = idleMilliseconds;
  #idleTimer: NodeJS.Timeout | undefined;
  #hasEnded = false;
  #isGone = false;

  constructor(socket: Duplex, events: ConnectionEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on("readable", this.#onReadable);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onClose);
    socket.on("error", this.#onError);
  }

  /**
   * Sends a request. Only when it is free.
   *
   * @param onUnanswered in place of an error, where the peer went away without a byte of an answer.
   */
  run(request: PreparedRequest, handler: AnswerHandler, onUnanswered?: () => void): void {
    clearTimeout(this.#idleTimer);
    const exchange = new RunningExchange(request, handler, onUnanswered, {
      onRead: () => this.#onReadable(),
      onAbort: (error) => this.#fail(error),
      onComplete: (head) => this.#complete(head),
      onUpgrade: (head, rest) => this.#giveAway(head, rest),
    });
    this.#exchange = exchange;
    this.#keepRunning(true);
    handler.onRequestStart(exchange);
    const isWanted = () => this.#exchange === exchange;
    if (!isWanted()) return;
    this.#socket.write(request.bytes);
    if (request.chunks)
      sendChunks(this.#socket, request.chunks, isWanted).catch((error: unknown) => {
        if (isWanted()) this.#fail(error as Error);
      });
  }

  /** Ends it; who waits for an answer is told this. */
  destroy(error: Error): void {
    this.#fail(error);
  }

  // Bound once, so that they can be taken off.
  readonly #onReadable = (): void => {
    while (!this.#isGone && !this.#exchange?.isPaused) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk === null) return;
      try {
        // Bytes that nobody has asked for: the next request would take them for its answer.
        if (!this.#exchange || this.#exchange.push(chunk) < chunk.length)
          throw malformed("more than its answer");
      } catch (error) {
        this.#fail(error as Error);
      }
    }
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    try {
      this.#exchange?.finish();
      this.#lose(new Http1Error("lost", "the peer closed the connection"));
    } catch (error) {
      this.#lose(error as Error);
    }
  };

  readonly #onClose = (): void => this.#lose(new Http1Error("lost", "the connection was closed"));

  readonly #onError = (error: Error): void => this.#lose(error);

  #complete(head: AnswerHead): void {
    const mayStay = this.#exchange?.mayStay && head.staysOpen && !this.#hasEnded;
    this.#exchange = undefined;
    const { idleSeconds } = head;
    if (idleSeconds !== undefined)
      this.#idleMilliseconds = Math.min(idleMilliseconds, idleSeconds * 1000 - idleMargin);
    if (!mayStay || this.#idleMilliseconds <= 0) {
      this.#fail(new Http1Error("closed", "it serves one request"));
      return;
    }
    this.#keepRunning(false);
    this.#idleTimer = setTimeout(
      () => this.#fail(new Http1Error("closed", "nothing is asked any more")),
      this.#idleMilliseconds,
    );
    this.#idleTimer.unref();
    this.#events.onFree(this);
  }

  /** An unused connection does not keep the process running. */
  #keepRunning(isUsed: boolean): void {
    const socket = this.#socket as Duplex & { ref?(): void; unref?(): void };
    if (isUsed) socket.ref?.();
    else socket.unref?.();
  }

  #giveAway(head: AnswerHead, rest: Buffer): void {
    const exchange = this.#exchange as RunningExchange;
    this.#leave();
    if (rest.length > 0) this.#socket.unshift(rest);
    exchange.handler.onRequestUpgrade(exchange, head.status, head.headers, this.#socket);
  }

  /** The peer is gone. */
  #lose(error: Error): void {
    const { onUnanswered } = this.#exchange ?? {};
    if (!onUnanswered) return this.#fail(error);
    this.#exchange = undefined;
    this.#fail(error);
    onUnanswered();
  }

  #fail(error: Error): void {
    if (this.#isGone) return;
    const exchange = this.#exchange;
    this.#leave();
    // What is written or read at this moment may fail still, and nobody needs to know.
    this.#socket.on("error", () => {}).destroy();
    exchange?.fail(error);
  }

  #leave(): void {
    this.#isGone = true;
    this.#exchange = undefined;
    clearTimeout(this.#idleTimer);
    const socket = this.#socket;
    socket.off("readable", this.#onReadable);
    socket.off("end", this.#onEnd);
    socket.off("close", this.#onClose);
    socket.off("error", this.#onError);
    this.#events.onGone(this);
  }
}

/** What a {@link RunningExchange} asks of its connection. */
interface ExchangeEvents {
  onRead: () => void;
  onAbort: (error: Error) => void;
  onComplete: (head: AnswerHead) => void;
  onUpgrade: (head: AnswerHead, rest: Buffer) => void;
}

/** A request whose answer is coming. */
class RunningExchange implements AnswerControl {
  readonly handler: AnswerHandler;
  /** Whether the connection can take another request behind it. */
  readonly mayStay: boolean;
  /** Until the first byte of an answer. */
  onUnanswered: (() => void) | undefined;
  isPaused = false;
  readonly #parser: AnswerParser;
  readonly #events: ExchangeEvents;
  #isOver = false;

  constructor(
    { method, upgrades, mayStay }: PreparedRequest,
    handler: AnswerHandler,
    onUnanswered: (() => void) | undefined,
    events: ExchangeEvents,
  ) {
    this.handler = handler;
    this.mayStay = mayStay;
    this.onUnanswered = onUnanswered;
    this.#events = events;
    let head: AnswerHead;
    this.#parser = new AnswerParser(
      { method, upgrades, mostHeaderBytes },
      {
        onHead: (came) => {
          head = came;
          handler.onResponseStart(this, came.status, came.headers);
        },
        onData: (data) => {
          if (!this.#isOver) handler.onResponseData(this, data);
        },
        onEnd: () => {
          if (this.#isOver) return;
          this.#isOver = true;
          events.onComplete(head);
          handler.onResponseEnd(this);
        },
        onUpgrade: events.onUpgrade,
      },
    );
  }

  push(chunk: Buffer): number {
    this.onUnanswered = undefined;
    return this.#parser.push(chunk);
  }

  finish(): void {
    this.#parser.finish();
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.handler.onResponseError(this, error);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    // In a turn of its own: who resumes may be in the middle of taking what there is.
    setImmediate(this.#events.onRead);
  }

  abort(reason: Error): void {
    if (!this.#isOver) this.#events.onAbort(reason);
  }
}
