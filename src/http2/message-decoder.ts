import { GrpcError, grpcCodes } from "./grpc-error.js";

/** Largest gRPC message taken when no other limit is given, in bytes; BuildKit's own limit. */
export const defaultMaxMessageBytes = 16 * 1024 * 1024;

const prefixLength = 5;

/** What both decoders do alike: read the prefix of a message, which may come in pieces, and check it. */
class PrefixReader {
  readonly #maxBytes: number;
  readonly #partial = Buffer.alloc(prefixLength);
  #partialLength = 0;
  /** Offset behind what {@link read} took of the chunk. */
  next = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The length of the message that starts at `at`; undefined when the chunk ends inside the prefix. */
  read(chunk: Buffer, at: number): number | undefined {
    if (this.#partialLength === 0 && chunk.length - at >= prefixLength) {
      this.next = at + prefixLength;
      return this.#check(chunk, at);
    }
    const count = Math.min(prefixLength - this.#partialLength, chunk.length - at);
    chunk.copy(this.#partial, this.#partialLength, at, at + count);
    this.#partialLength += count;
    this.next = at + count;
    if (this.#partialLength < prefixLength) return undefined;
    this.#partialLength = 0;
    return this.#check(this.#partial, 0);
  }

  get inside(): boolean {
    return this.#partialLength > 0;
  }

  #check(bytes: Buffer, at: number): number {
    const flags = bytes.readUInt8(at);
    // BuildKit never compresses, and we do not offer to decompress.
    if (flags === 1) throw new GrpcError(grpcCodes.unimplemented, "compressed messages are not taken");
    if (flags !== 0) throw malformed(`a message starts with the flags ${flags}`);
    const length = bytes.readUInt32BE(at + 1);
    if (length > this.#maxBytes) {
      throw new GrpcError(
        grpcCodes.resourceExhausted,
        `a message of ${length} bytes is over the limit of ${this.#maxBytes}`,
      );
    }
    return length;
  }
}

/** Options of {@link BytesFieldDecoder}. */
export interface BytesFieldOptions extends DecoderOptions {
  /** Number of the field whose bytes are wanted; 1 when not given. */
  field?: number;
}

/** Options of the decoders. */
export interface DecoderOptions {
  /** Largest message taken, in bytes; 16 MiB when not given. */
  maxBytes?: number;
}

/**
 * Takes gRPC's length-prefixed messages out of a stream of chunks. A message that lies within a chunk is a view of it;
 * any other is copied together once, into a buffer made after its length was checked.
 */
export class MessageDecoder {
  readonly #prefix: PrefixReader;
  #message: Buffer | undefined;
  #filled = 0;

  constructor(options: DecoderOptions = {}) {
    this.#prefix = new PrefixReader(options.maxBytes ?? defaultMaxMessageBytes);
  }

  /** Hands every message that the chunk completes to `emit`. @throws GrpcError for a prefix that is not acceptable. */
  push(chunk: Buffer, emit: (message: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#message === undefined) {
        const length = this.#prefix.read(chunk, at);
        at = this.#prefix.next;
        if (length === undefined) return;
        if (chunk.length - at >= length) {
          emit(chunk.subarray(at, at + length));
          at += length;
        } else {
          this.#message = Buffer.allocUnsafeSlow(length);
          this.#filled = 0;
        }
        continue;
      }
      const count = Math.min(this.#message.length - this.#filled, chunk.length - at);
      chunk.copy(this.#message, this.#filled, at, at + count);
      this.#filled += count;
      at += count;
      if (this.#filled === this.#message.length) {
        const message = this.#message;
        this.#message = undefined;
        emit(message);
      }
    }
  }

  /** To be called at the end of the stream. @throws GrpcError when it ends inside a message. */
  end(): void {
    if (this.#message !== undefined || this.#prefix.inside) throw truncated();
  }
}

const wireVarint = 0;
const wireFixed64 = 1;
const wireBytes = 2;
const wireFixed32 = 5;

/**
 * Takes the bytes of one field, mostly field 1, out of a stream of length-prefixed messages such as `BytesMessage`, as they come: what it
 * emits are views of the chunks, and no message is put together. Other fields are skipped.
 */
export class BytesFieldDecoder {
  readonly #prefix: PrefixReader;
  readonly #wanted: number;
  /** Bytes of the message that are still to come; undefined before its prefix. */
  #message: number | undefined;
  #state: "tag" | "length" | "varint" | "payload" | "skip" = "tag";
  /** Bytes of the field that are still to come. */
  #field = 0;
  #payload = false;
  #varint = 0;
  #varintScale = 1;

  constructor(options: BytesFieldOptions = {}) {
    this.#prefix = new PrefixReader(options.maxBytes ?? defaultMaxMessageBytes);
    this.#wanted = options.field ?? 1;
  }

  /** Hands the payload bytes of the chunk to `emit`. @throws GrpcError for what is no such message. */
  push(chunk: Buffer, emit: (payload: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#message === undefined) {
        const length = this.#prefix.read(chunk, at);
        at = this.#prefix.next;
        if (length !== undefined && length > 0) this.#message = length;
        continue;
      }
      if (this.#state === "payload" || this.#state === "skip") {
        const count = Math.min(this.#field, chunk.length - at);
        if (this.#state === "payload") emit(count === chunk.length ? chunk : chunk.subarray(at, at + count));
        at += count;
        this.#field -= count;
        this.#message -= count;
        if (this.#field === 0) this.#state = "tag";
      } else {
        this.#message--;
        this.#byte(chunk.readUInt8(at++), this.#message);
      }
      if (this.#message === 0) {
        if (this.#state !== "tag" || this.#varintScale !== 1)
          throw malformed("a message ends inside a field");
        this.#message = undefined;
      }
    }
  }

  /** To be called at the end of the stream. @throws GrpcError when it ends inside a message. */
  end(): void {
    if (this.#message !== undefined || this.#prefix.inside) throw truncated();
  }

  /** Takes one byte of a varint: a tag, a length or a value to skip. */
  #byte(byte: number, left: number): void {
    if (this.#varintScale > 2 ** 63) throw malformed("a message contains a number of more than 10 bytes");
    this.#varint += (byte & 0x7f) * this.#varintScale;
    if (byte & 0x80) {
      this.#varintScale *= 0x80;
      return;
    }
    const value = this.#varint;
    this.#varint = 0;
    this.#varintScale = 1;
    if (this.#state === "varint") {
      this.#state = "tag";
    } else if (this.#state === "tag") {
      this.#tag(value, left);
    } else {
      this.#begin(value, left);
    }
  }

  #tag(tag: number, left: number): void {
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    this.#payload = field === this.#wanted;
    if (field === 0 || (this.#payload && wire !== wireBytes)) throw malformed(`a message has the tag ${tag}`);
    if (wire === wireBytes) this.#state = "length";
    else if (wire === wireVarint) this.#state = "varint";
    else if (wire === wireFixed32) this.#begin(4, left);
    else if (wire === wireFixed64) this.#begin(8, left);
    else throw malformed(`a message has the tag ${tag}`);
  }

  #begin(length: number, left: number): void {
    if (length > left) throw malformed("a field is longer than its message");
    this.#field = length;
    if (length === 0) this.#state = "tag";
    else this.#state = this.#payload ? "payload" : "skip";
  }
}

function malformed(what: string): GrpcError {
  return new GrpcError(grpcCodes.internal, `malformed gRPC data: ${what}`);
}

function truncated(): GrpcError {
  return new GrpcError(grpcCodes.internal, "malformed gRPC data: the stream ends inside a message");
}
