import type { Http2Session } from "node:http2";
import type { Duplex } from "node:stream";
import { isSlipwayError, type SlipwayError } from "../core/index.js";
import { Http2Error } from "./http2-error.js";

/** Finds out why an HTTP/2 session ended. Node reports that in five places, and to streams only as CANCEL. */
export interface FailureWatch {
  /** Why the session can no longer be used; undefined while it can. */
  failure(): SlipwayError | undefined;
  /** Why no new stream can be opened: the failure, or a GOAWAY that lets the open ones finish. */
  refusal(): SlipwayError | undefined;
  /** Sets the reason, unless there is one. */
  fail(reason: SlipwayError): void;
  /** Resolves with the reason when the session is closed. Never rejects. */
  readonly closed: Promise<SlipwayError>;
}

/**
 * Watches the session and the stream that it runs on. The first reason counts. A GOAWAY is a reason only once the session
 * has ended.
 */
export function watchFailure(session: Http2Session, stream: Duplex): FailureWatch {
  let failure: SlipwayError | undefined;
  let goaway: Http2Error | undefined;
  const fail = (reason: SlipwayError) => {
    failure ??= reason;
  };
  // Typed errors of the transport (an exec that ended, a header list over the limit) say more than we could.
  const lost = (error: Error) =>
    fail(
      isSlipwayError(error)
        ? error
        : new Http2Error("HTTP2_LOST", `the connection was lost: ${error.message}`, { cause: error }),
    );
  const broken = (error: Error) => {
    const { code } = error as { code?: unknown };
    const ofHttp2 = typeof code === "string" && code.startsWith("ERR_HTTP2");
    if (goaway && code === "ERR_HTTP2_SESSION_ERROR") fail(goaway);
    else if (ofHttp2)
      fail(new Http2Error("HTTP2_PROTOCOL", `HTTP/2 failed: ${error.message}`, { cause: error }));
    else lost(error);
  };
  stream.on("error", lost);
  session.on("error", broken);
  session.on("frameError", (type: number, code: number) => {
    fail(
      new Http2Error("HTTP2_PROTOCOL", `a frame of type ${type} could not be sent: error ${code}`, {
        errorCode: code,
      }),
    );
  });
  session.on("goaway", (errorCode: number, _lastStream: number, data?: Buffer) => {
    const debugData = data?.toString("utf8") ?? "";
    const parts = ["the peer ended the connection", debugData, errorCode === 0 ? "" : `error ${errorCode}`];
    const text = parts.filter((part) => part !== "").join(": ");
    goaway = new Http2Error("HTTP2_GOAWAY", text, { errorCode, debugData });
    if (errorCode === 0) return;
    // Node destroys the session for it, which can hang on a write that nobody will take.
    fail(goaway);
    setImmediate(() => stream.destroy());
  });
  const closed = new Promise<SlipwayError>((resolve) => {
    session.once("close", () => {
      failure ??= goaway ?? new Http2Error("HTTP2_LOST", "the connection was closed by the peer");
      resolve(failure);
    });
  });
  return { failure: () => failure, refusal: () => failure ?? goaway, fail, closed };
}
