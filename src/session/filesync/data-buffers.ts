/**
 * Bytes that a call may still hold of what was written, at most, while `write` does not ask to wait (http2's
 * stream-call.ts). A test holds it to that.
 */
export const heldByCall = 2 * 1024 * 1024;

/**
 * Buffers for large reads, used in turn. Fresh ones would cost more time in the garbage collector than the reading
 * takes. A buffer is free again when so much was written after it that the call cannot hold it any more.
 */
export class DataBuffers {
  readonly #length: number;
  readonly #sent: { buffer: Buffer; end: number }[] = [];
  #out = 0;

  /** @param length bytes of each buffer */
  constructor(length: number) {
    this.#length = length;
  }

  /** A buffer of at least `length` bytes; small ones are not worth keeping. */
  take(length: number): Buffer {
    if (length < this.#length / 4 || length > this.#length) return Buffer.allocUnsafeSlow(length);
    const [oldest] = this.#sent;
    if (!oldest || oldest.end > this.#out) return Buffer.allocUnsafeSlow(this.#length);
    this.#sent.shift();
    return oldest.buffer;
  }

  /** Takes a buffer back whose bytes were the last of the `written` bytes that its call has sent. */
  giveBack(buffer: Buffer, written: number): void {
    if (buffer.length === this.#length) this.#sent.push({ buffer, end: written });
  }

  /** Says that the call asks for no wait after `written` bytes. */
  settled(written: number): void {
    this.#out = written - heldByCall;
  }
}
