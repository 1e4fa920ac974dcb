import { protocolError } from "./buildkit-error.js";

type State = "prefix" | "tag" | "length" | "payload" | "skip" | "skip-varint";

/**
 * Takes the payload out of a stream of gRPC messages whose field 1 is `bytes` (BytesMessage), as it comes in: no message
 * is put together and nothing is copied. Other fields are skipped; compressed messages are refused.
 */
export class BytesReader {
  #state: State = "prefix";
  /** Bytes of the prefix seen so far, and what they say. */
  #prefixBytes = 0;
  #length = 0;
  /** Bytes left of the message. */
  #message = 0;
  /** Bytes left of the payload, or to be skipped. */
  #rest = 0;
  #varint = 0;
  #shift = 0;
  #payloadField = false;

  /** True between two messages, the only place where a stream may end. */
  get atBoundary(): boolean {
    return this.#state === "prefix" && this.#prefixBytes === 0;
  }

  /**
   * Reads on. `emit` gets views of `chunk`.
   *
   * @throws BuildkitError `BUILDKIT_PROTOCOL` when this is not such a stream.
   */
  feed(chunk: Buffer, emit: (payload: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === "payload" || this.#state === "skip") {
        const end = Math.min(chunk.length, at + this.#rest);
        if (this.#state === "payload") emit(chunk.subarray(at, end));
        this.#rest -= end - at;
        this.#message -= end - at;
        at = end;
        if (this.#rest === 0) this.#nextField();
      } else {
        this.#byte(chunk[at++] as number);
      }
    }
  }

  #byte(byte: number): void {
    if (this.#state === "prefix") {
      this.#prefixByte(byte);
      return;
    }
    if (this.#message === 0) throw protocolError("buildkitd sent a message that ends within a field");
    this.#message--;
    // 2^49 is far beyond any length, and the sum below stays exact.
    if (this.#shift > 42) throw protocolError("buildkitd sent a message with a malformed number");
    this.#varint += (byte & 0x7f) * 2 ** this.#shift;
    this.#shift += 7;
    if (byte >= 0x80) {
      if (this.#state === "skip-varint") this.#shift = 0;
      return;
    }
    const value = this.#varint;
    this.#varint = 0;
    this.#shift = 0;
    if (this.#state === "tag") this.#tag(value);
    else if (this.#state === "length") this.#take(this.#payloadField ? "payload" : "skip", value);
    else this.#nextField();
  }

  #prefixByte(byte: number): void {
    if (this.#prefixBytes++ === 0) {
      if (byte !== 0) throw protocolError("buildkitd sent a compressed message that was not asked for");
      this.#length = 0;
      return;
    }
    this.#length = this.#length * 256 + byte;
    if (this.#prefixBytes < 5) return;
    this.#prefixBytes = 0;
    this.#message = this.#length;
    this.#nextField();
  }

  /** Protobuf's wire types: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  #tag(tag: number): void {
    const type = tag % 8;
    this.#payloadField = tag === 10;
    if (type === 0) this.#state = "skip-varint";
    else if (type === 1) this.#take("skip", 8);
    else if (type === 2) this.#state = "length";
    else if (type === 5) this.#take("skip", 4);
    else throw protocolError("buildkitd sent a message with a malformed field");
  }

  #take(state: "payload" | "skip", length: number): void {
    if (length > this.#message) throw protocolError("buildkitd sent a field that is longer than its message");
    this.#rest = length;
    this.#state = state;
    if (length === 0) this.#nextField();
  }

  #nextField(): void {
    this.#state = this.#message === 0 ? "prefix" : "tag";
  }
}
