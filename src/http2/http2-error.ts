import { SlipwayError, type SlipwayErrorOptions } from "../core/index.js";

/** Codes of {@link Http2Error}. */
export type Http2ErrorCode =
  "HTTP2_CLOSED" | "HTTP2_LOST" | "HTTP2_GOAWAY" | "HTTP2_PROTOCOL" | "HTTP2_NOT_RESPONDING";

/**
 * An HTTP/2 connection ended or could not be made. `code`:
 * - `HTTP2_CLOSED`: we closed it
 * - `HTTP2_LOST`: the peer or the network did; `cause` is the error of the socket, if there was one
 * - `HTTP2_GOAWAY`: the peer sent GOAWAY; `errorCode` is its code (RFC 9113, 7), `debugData` its text
 * - `HTTP2_PROTOCOL`: one side broke the protocol
 * - `HTTP2_NOT_RESPONDING`: no byte and no answer to a PING in time
 */
export class Http2Error extends SlipwayError {
  declare readonly code: Http2ErrorCode;
  readonly errorCode?: number;
  readonly debugData?: string;

  constructor(
    code: Http2ErrorCode,
    message: string,
    options: SlipwayErrorOptions & { errorCode?: number; debugData?: string } = {},
  ) {
    super(code, message, options);
    if (options.errorCode !== undefined) this.errorCode = options.errorCode;
    if (options.debugData) this.debugData = options.debugData;
  }
}
