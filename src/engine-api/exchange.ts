import type { Duplex, Readable } from "node:stream";
import type { Dispatcher } from "undici";
import {
  DeadlineError,
  type LinkedSignal,
  abortError,
  holdStream,
  isSlipwayError,
  linkSignal,
  messageOf,
  timerDelay,
} from "../core/index.js";
import { EngineError } from "./errors.js";
import { ResponseBody } from "./response-body.js";

/** Header fields of an answer, names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One HTTP request as it goes over the wire. */
export interface Exchange {
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** With version prefix and query. */
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Ask for the raw connection by this protocol name. */
  upgrade?: string;
  /** Send `Connection: close`. */
  close?: boolean;
}

/** What came back: an answer with a body to be read or destroyed, or the raw connection. */
export type Answer =
  { upgraded: false; status: number; headers: Headers; body: Readable } | { upgraded: true; socket: Duplex };

/**
 * Runs one request. The signal holds until the body is closed, the deadline only until its headers arrive. The body
 * passes on back-pressure to the socket. Redirects are not followed.
 *
 * Built on `dispatch` rather than `request` and `upgrade`, since `upgrade` loses the status and the body of a refusal.
 *
 * @param milliseconds 0 is no deadline.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Exchange,
  limits: { signal?: AbortSignal | undefined; milliseconds: number },
): Promise<Answer> {
  const name = `${request.method} ${request.path.replace(/\?.*$/s, "")}`;
  const handler = new ExchangeHandler(name, limits);
  if (!handler.isOver)
    dispatcher.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers,
        // The types lack async iterables; undici takes them, waiting for drain between their chunks.
        ...(request.body !== undefined && { body: request.body as Buffer }),
        ...(request.upgrade !== undefined && { upgrade: request.upgrade }),
        ...(request.close && { reset: true }),
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      handler,
    );
  return handler.answer;
}

/** Gets what undici tells of one request. */
class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Answer>;
  /** Nothing more is wanted. */
  isOver = false;
  readonly #name: string;
  readonly #linked: LinkedSignal;
  readonly #timer: NodeJS.Timeout | undefined;
  #resolve!: (answer: Answer) => void;
  #reject!: (error: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #body: ResponseBody | undefined;

  constructor(name: string, limits: { signal?: AbortSignal | undefined; milliseconds: number }) {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#name = name;
    this.#linked = linkSignal(limits.signal);
    const { milliseconds } = limits;
    if (milliseconds > 0)
      this.#timer = setTimeout(
        () => this.#linked.abort(new DeadlineError(name, milliseconds)),
        timerDelay(milliseconds),
      );
    const { signal } = this.#linked;
    if (signal.aborted) this.#abort();
    else signal.addEventListener("abort", () => this.#abort(), { once: true });
  }

  onRequestStart(started: Dispatcher.DispatchController): void {
    this.#controller = started;
    if (this.isOver) started.abort(new Error("aborted"));
  }

  onRequestUpgrade(_controller: unknown, _status: number, _headers: unknown, socket: Duplex): void {
    if (this.isOver) {
      socket.on("error", () => {}).destroy();
      return;
    }
    this.#finish();
    // The caller may wait before it listens for errors, and the connection may break meanwhile.
    this.#resolve({ upgraded: true, socket: holdStream(socket) });
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200 || this.isOver) return;
    clearTimeout(this.#timer);
    this.#body = holdStream(new ResponseBody(controller, () => this.#finish()));
    this.#resolve({ upgraded: false, status, headers, body: this.#body });
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#body?.accept(chunk);
  }

  onResponseEnd(): void {
    this.#body?.complete();
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#fail(brokenError(this.#name, error));
  }

  #abort(): void {
    const error = abortError(this.#linked.signal);
    this.#fail(error);
    this.#controller?.abort(error);
  }

  #fail(error: Error): void {
    this.#finish();
    if (this.#body) this.#body.destroy(error);
    else this.#reject(error);
  }

  #finish(): void {
    this.isOver = true;
    clearTimeout(this.#timer);
    this.#linked[Symbol.dispose]();
  }
}

function brokenError(name: string, error: Error): Error {
  if (isSlipwayError(error)) return error;
  const code = (error as { code?: unknown }).code;
  if (code === "UND_ERR_DESTROYED" || code === "UND_ERR_CLOSED") {
    return new EngineError("ENGINE_CLOSED", "the connection to the engine was closed by its owner", {
      cause: error,
    });
  }
  const kind =
    // The parser also reports an end in the middle of a message; only then does its error carry no bytes (undici
    // client-h1.js).
    (error.name === "HTTPParserError" && (error as { data?: unknown }).data !== "") ||
    code === "UND_ERR_HEADERS_OVERFLOW"
      ? "ENGINE_PROTOCOL"
      : "ENGINE_CONNECTION_LOST";
  return new EngineError(
    kind,
    `the connection to the Docker daemon broke during ${name}: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}
