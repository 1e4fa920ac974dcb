import { GrpcError, grpcCodes } from "../grpc-error.js";
import { errorCodes } from "./codes.js";
import { ProtocolViolation } from "./protocol-violation.js";

/** Bytes of the longest list of headers that is taken: what grpc-go takes as a client. */
export const maxHeaderBytes = 16 * 1024 * 1024 - 1;

/**
 * Bytes of header lists that the streams of one connection hold together, at most. One list may be of 16 MiB, as patterns of a
 * large ignore file are; no real peer has several of them under way.
 */
const mostHeaderBytes = 32 * 1024 * 1024;

/** Bounds the memory that a peer's header lists take. */
export class HeaderBudget {
  #bytes = 0;

  /** @throws GrpcError RESOURCE_EXHAUSTED, which ends the connection */
  take(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > mostHeaderBytes)
      throw new GrpcError(
        grpcCodes.resourceExhausted,
        `the peer sent more than ${mostHeaderBytes} bytes of headers in calls that are under way together`,
        {},
        "HTTP2_HEADERS_TOO_LARGE",
      );
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Resets that may come at once, and how many more each second: nghttp2's defaults. */
const resetBurst = 1000;
const resetsPerSecond = 33;

/** Ends the connection of a peer that opens calls only to cancel them (CVE-2023-44487). */
export class ResetLimit {
  #left = resetBurst;
  #since = Date.now();

  /** A reset came. @throws ProtocolViolation */
  count(): void {
    const now = Date.now();
    const more = Math.floor(((now - this.#since) / 1000) * resetsPerSecond);
    if (more !== 0) {
      this.#since = now;
      // A clock that was put back gives nothing.
      this.#left = Math.min(resetBurst, this.#left + Math.max(0, more));
    }
    if (--this.#left < 0)
      throw new ProtocolViolation("the peer cancels too many calls", errorCodes.ENHANCE_YOUR_CALM);
  }
}
