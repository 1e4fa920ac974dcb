import type { Duplex, Readable } from "node:stream";
import type { Dispatcher } from "undici";
import {
  DeadlineError,
  abortError,
  holdStream,
  isSlipwayError,
  linkSignal,
  messageOf,
} from "../core/index.js";
import { EngineError } from "./errors.js";
import { ResponseBody } from "./response-body.js";

/** Header fields of an answer, names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One HTTP request as it goes over the wire. */
export interface Exchange {
  method: "GET" | "POST" | "PUT" | "DELETE";
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
  return new Promise((resolve, reject) => {
    const name = `${request.method} ${request.path.replace(/\?.*$/s, "")}`;
    const linked = linkSignal(limits.signal);
    let controller: Dispatcher.DispatchController | undefined;
    let body: ResponseBody | undefined;
    let over = false;
    const timer =
      limits.milliseconds > 0
        ? setTimeout(() => linked.abort(new DeadlineError(name, limits.milliseconds)), limits.milliseconds)
        : undefined;
    const finish = () => {
      over = true;
      clearTimeout(timer);
      linked[Symbol.dispose]();
    };
    const fail = (error: Error) => {
      finish();
      if (body) body.destroy(error);
      else reject(error);
    };
    const onAbort = () => {
      const error = abortError(linked.signal);
      fail(error);
      controller?.abort(error);
    };
    if (linked.signal.aborted) return onAbort();
    linked.signal.addEventListener("abort", onAbort, { once: true });

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        if (over) started.abort(new Error("aborted"));
      },
      onRequestUpgrade(_controller, _status, _headers, socket) {
        if (over) {
          socket.on("error", () => {}).destroy();
          return;
        }
        finish();
        // Who gets it may wait before it listens; the connection may break meanwhile.
        resolve({ upgraded: true, socket: holdStream(socket) });
      },
      onResponseStart(responding, status, headers) {
        if (status < 200 || over) return;
        clearTimeout(timer);
        body = holdStream(new ResponseBody(responding, finish));
        resolve({ upgraded: false, status, headers, body });
      },
      onResponseData(_controller, chunk) {
        body?.accept(chunk);
      },
      onResponseEnd() {
        body?.complete();
      },
      onResponseError(_controller, error) {
        fail(brokenError(name, error));
      },
    };
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
  });
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
    // An end in the middle of a message is told by the parser too; only then it has no bytes to show (undici client-h1.js).
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
