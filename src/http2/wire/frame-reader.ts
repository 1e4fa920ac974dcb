import { defaultFrameSize, errorCodes, frameFlags, frameHeadLength, frameTypes } from "./codes.js";
import { ProtocolViolation } from "./protocol-violation.js";

/** Takes what a {@link FrameReader} reads. */
export interface FrameSink {
  /** A whole frame of any type but DATA. `payload` is a view of what was received; padding is still in it. */
  frame(type: number, flags: number, stream: number, payload: Buffer): void;
  /** The head of a DATA frame; `length` counts its padding. */
  dataBegin(stream: number, length: number): void;
  /** Some bytes of the DATA frame that has begun, without padding: a view of what was received. */
  dataBytes(bytes: Buffer): void;
  /** The DATA frame is complete. */
  dataEnd(flags: number): void;
}

/** Cuts a stream of chunks into frames (RFC 9113, 4.1). Data passes uncopied, as it comes. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #head = Buffer.alloc(frameHeadLength);
  #headLength = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  /** Bytes of the frame that are still to come; undefined between frames. */
  #left: number | undefined;
  /** The payload of a frame that came in pieces. */
  #payload: Buffer | undefined;
  #filled = 0;
  /** Bytes of padding at the end of the DATA frame; undefined before the byte that says so. */
  #padding: number | undefined;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** @throws ProtocolViolation for a frame that is too long */
  push(chunk: Buffer): void {
    let at = 0;
    for (;;) {
      if (this.#left === undefined) {
        at = this.#readHead(chunk, at);
        if (this.#left === undefined) return;
      }
      at = this.#type === frameTypes.data ? this.#readData(chunk, at) : this.#readPayload(chunk, at);
      if (this.#left !== undefined) return;
    }
  }

  #readHead(chunk: Buffer, start: number): number {
    if (this.#headLength === 0 && chunk.length - start >= frameHeadLength) {
      this.#begin(chunk, start);
      return start + frameHeadLength;
    }
    const count = Math.min(frameHeadLength - this.#headLength, chunk.length - start);
    chunk.copy(this.#head, this.#headLength, start, start + count);
    this.#headLength += count;
    if (this.#headLength === frameHeadLength) {
      this.#headLength = 0;
      this.#begin(this.#head, 0);
    }
    return start + count;
  }

  #begin(head: Buffer, at: number): void {
    const length = head.readUIntBE(at, 3);
    // Our settings do not allow more.
    if (length > defaultFrameSize)
      throw new ProtocolViolation(`a frame of ${length} bytes came`, errorCodes.FRAME_SIZE_ERROR);
    this.#type = head.readUInt8(at + 3);
    this.#flags = head.readUInt8(at + 4);
    this.#stream = head.readUInt32BE(at + 5) & 0x7fffffff;
    this.#left = length;
    if (this.#type !== frameTypes.data) return;
    this.#sink.dataBegin(this.#stream, length);
    const isPadded = (this.#flags & frameFlags.padded) !== 0;
    if (isPadded && length === 0) throw new ProtocolViolation("padding was promised in an empty frame");
    this.#padding = isPadded ? undefined : 0;
  }

  #readData(chunk: Buffer, start: number): number {
    let at = start;
    let left = this.#left as number;
    if (this.#padding === undefined && at < chunk.length) {
      this.#padding = chunk.readUInt8(at++);
      if (this.#padding > --left) throw new ProtocolViolation("a frame has more padding than bytes");
    }
    const end = at + Math.min(left, chunk.length - at);
    const data = Math.min(end - at, left - (this.#padding ?? 0));
    if (data > 0) this.#sink.dataBytes(chunk.subarray(at, at + data));
    left -= end - at;
    this.#left = left;
    if (left === 0 && this.#padding !== undefined) {
      this.#left = undefined;
      this.#sink.dataEnd(this.#flags);
    }
    return end;
  }

  #readPayload(chunk: Buffer, at: number): number {
    const left = this.#left as number;
    if (!this.#payload && chunk.length - at >= left) {
      this.#end(chunk.subarray(at, at + left));
      return at + left;
    }
    this.#payload ??= Buffer.allocUnsafe(left);
    const count = Math.min(this.#payload.length - this.#filled, chunk.length - at);
    chunk.copy(this.#payload, this.#filled, at, at + count);
    this.#filled += count;
    if (this.#filled === this.#payload.length) this.#end(this.#payload);
    return at + count;
  }

  #end(payload: Buffer): void {
    this.#left = undefined;
    this.#payload = undefined;
    this.#filled = 0;
    this.#sink.frame(this.#type, this.#flags, this.#stream, payload);
  }
}
