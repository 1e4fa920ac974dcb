import type { Http2Stream } from "node:http2";
import { GrpcError, grpcCodes } from "./grpc-error.js";

/**
 * Bytes of header lists that the streams of one connection hold together, at most. One list may be of 16 MiB, as patterns of a
 * large ignore file are; no real peer has several of them under way.
 */
const mostBytes = 32 * 1024 * 1024;
/** Bytes that a header counts in addition to its name and value (RFC 9113, 6.5.2). */
const overhead = 32;

/** Bounds the memory that a peer's header lists take. */
export class HeaderBudget {
  readonly #onExceeded: (error: GrpcError) => void;
  #bytes = 0;

  /** `onExceeded` ends the connection. */
  constructor(onExceeded: (error: GrpcError) => void) {
    this.#onExceeded = onExceeded;
  }

  /** Counts a list, names and values in turn, until its stream is closed. */
  hold(stream: Http2Stream, rawHeaders: readonly string[]): void {
    let bytes = (rawHeaders.length / 2) * overhead;
    for (const text of rawHeaders) bytes += text.length;
    this.#bytes += bytes;
    stream.once("close", () => (this.#bytes -= bytes));
    if (this.#bytes > mostBytes)
      this.#onExceeded(
        new GrpcError(
          grpcCodes.resourceExhausted,
          `the peer sent more than ${mostBytes} bytes of headers in calls that are under way together`,
          {},
          "HTTP2_HEADERS_TOO_LARGE",
        ),
      );
  }
}
