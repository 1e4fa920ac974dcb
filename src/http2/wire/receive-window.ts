import { defaultWindow, errorCodes } from "./codes.js";
import { ProtocolViolation } from "./protocol-violation.js";

/** How much a peer may still send, on a stream or a connection (RFC 9113, 5.2). */
export class ReceiveWindow {
  readonly #size: number;
  #left: number;
  #credit = 0;

  /** `size` is what the peer is told, before which it may count on the default. */
  constructor(size: number) {
    this.#size = size;
    this.#left = Math.max(size, defaultWindow);
  }

  /** @throws ProtocolViolation when that is more than the peer was allowed */
  take(length: number): void {
    this.#left -= length;
    if (this.#left < 0)
      throw new ProtocolViolation("more came than its window allows", errorCodes.FLOW_CONTROL_ERROR);
  }

  /** Gives back what has been used. Returns what to tell the peer: nothing, until half of the window has gathered. */
  give(length: number): number {
    this.#credit += length;
    if (this.#credit < this.#size / 2) return 0;
    const update = this.#credit;
    this.#credit = 0;
    this.#left += update;
    return update;
  }
}
