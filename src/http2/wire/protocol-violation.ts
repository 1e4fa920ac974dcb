import { errorCodes, errorName } from "./codes.js";

/** The peer broke the rules of HTTP/2 in a way that ends the connection, with the code that it is told. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
  readonly errorCode: number;

  constructor(what: string, errorCode: number = errorCodes.PROTOCOL_ERROR) {
    super(`${what} (${errorName(errorCode)})`);
    this.errorCode = errorCode;
  }
}
