import type { Duplex, Readable } from "node:stream";
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
import {
  type AnswerControl,
  type AnswerHandler,
  type AnswerHeaders,
  Http1Error,
  type OutgoingRequest,
  type Pool,
} from "./http1/index.js";
import { ResponseBody } from "./response-body.js";

/** Header fields of an answer, names in lower case. */
export type Headers = Readonly<AnswerHeaders>;

/** One HTTP request as it goes over the wire. */
export interface Exchange extends OutgoingRequest {
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
}

/** What came back: an answer with a body to be read or destroyed, or the raw connection. */
export type Answer =
  { upgraded: false; status: number; headers: Headers; body: Readable } | { upgraded: true; socket: Duplex };

/**
 * Runs one request. The signal holds until the body is closed, the deadline only until its headers arrive. The body
 * passes on back-pressure to the socket. Redirects are not followed.
 *
 * @param milliseconds 0 is no deadline.
 */
export function exchange(
  pool: Pool,
  request: Exchange,
  limits: { signal?: AbortSignal | undefined; milliseconds: number },
): Promise<Answer> {
  const name = `${request.method} ${request.path.replace(/\?.*$/s, "")}`;
  const handler = new ExchangeHandler(name, limits);
  if (!handler.isOver) pool.dispatch(request, handler);
  return handler.answer;
}

/** Gets what becomes of one request. */
class ExchangeHandler implements AnswerHandler {
  readonly answer: Promise<Answer>;
  /** Nothing more is wanted. */
  isOver = false;
  readonly #name: string;
  readonly #linked: LinkedSignal;
  readonly #timer: NodeJS.Timeout | undefined;
  #resolve!: (answer: Answer) => void;
  #reject!: (error: Error) => void;
  #controller: AnswerControl | undefined;
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

  onRequestStart(started: AnswerControl): void {
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

  onResponseStart(controller: AnswerControl, status: number, headers: Headers): void {
    if (this.isOver) return;
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
    const broken = brokenError(this.#name, error);
    // In a turn of its own: who reads at this moment gets what came before.
    if (this.#body) setImmediate(() => this.#fail(broken));
    else this.#fail(broken);
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
  const failure = error instanceof Http1Error ? error.failure : "lost";
  if (failure === "closed") {
    return new EngineError("ENGINE_CLOSED", "the connection to the engine was closed by its owner", {
      cause: error,
    });
  }
  if (failure === "invalid")
    return new EngineError("ENGINE_PROTOCOL", `${name} cannot be sent: ${error.message}`);
  const kind = failure === "protocol" ? "ENGINE_PROTOCOL" : "ENGINE_CONNECTION_LOST";
  return new EngineError(
    kind,
    `the connection to the Docker daemon broke during ${name}: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}
