import { Http2Error } from "../http2-error.js";
import { errorCodes } from "./codes.js";
import { ProtocolViolation } from "./protocol-violation.js";

/** What a GOAWAY says. */
export interface Goaway {
  /** Streams of ours with a higher number were not looked at. */
  lastStream: number;
  errorCode: number;
  /** As the reason why the connection ends, or why it takes no more calls. */
  error: Http2Error;
}

/** @throws ProtocolViolation */
export function readGoaway(payload: Buffer): Goaway {
  if (payload.length < 8) throw new ProtocolViolation("a GOAWAY is cut off", errorCodes.FRAME_SIZE_ERROR);
  const errorCode = payload.readUInt32BE(4);
  const debugData = payload.toString("utf8", 8);
  const parts = ["the peer ended the connection", debugData, errorCode === 0 ? "" : `error ${errorCode}`];
  const text = parts.filter((part) => part !== "").join(": ");
  return {
    lastStream: payload.readUInt32BE(0) & 0x7fffffff,
    errorCode,
    error: new Http2Error("HTTP2_GOAWAY", text, { errorCode, debugData }),
  };
}

/** Payload of a GOAWAY. */
export function encodeGoaway(lastStream: number, errorCode: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStream, 0);
  payload.writeUInt32BE(errorCode, 4);
  return payload;
}
