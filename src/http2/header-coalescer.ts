import { GrpcError, grpcCodes } from "./grpc-error.js";
import { splitLongValues } from "./long-values.js";

/** Takes the bytes that leave the coalescer, in order. */
export type Emit = (bytes: Buffer) => void;

/** Largest header block taken, in bytes: the longest frame HTTP/2 has. Node stops at header lists of this size, too. */
export const maxHeaderBytes = 0xff_ffff;

const headLength = 9;
const prefaceLength = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
const headers = 1;
const settings = 4;
const goaway = 7;
const continuation = 9;
const ackFlag = 0x01;
const endHeadersFlag = 0x04;
const paddedFlag = 0x08;
const priorityFlag = 0x20;
const priorityLength = 5;
// The longest block needs 1024 full frames; only someone who wants to make us work sends more (CVE-2024-28182).
const maxContinuations = 8192;

/**
 * What happens to a frame: it passes, it begins or continues a header block, its end is where our settings become
 * acknowledged, or it is left out.
 */
type Fate = "pass" | "begin" | "continue" | "settings" | "drop";

/** A HEADERS frame that does not end its block, and what has come of the block since. */
interface Block {
  /** The head of the HEADERS frame. */
  head: Buffer;
  fragments: Buffer[];
  length: number;
  continuations: number;
}

/**
 * Joins every HEADERS frame with its CONTINUATION frames into one long HEADERS frame, in a stream of received bytes, and
 * splits header values that are too long for nghttp2 (see {@link splitLongValues}). Everything else passes uncopied, and
 * a chunk without such a frame passes as the very same buffer.
 *
 * nghttp2 ends a connection at the 9th CONTINUATION, which is after 128 KiB of headers, while buildkitd sends every
 * pattern of a .dockerignore as a header of its own. nghttp2 takes a frame that long only once the peer has
 * acknowledged our settings, and the peer may send one before; so an acknowledgement is put in right behind the
 * peer's own SETTINGS and the real one is left out. That is safe as our settings only ever allow more than the defaults.
 */
export class HeaderCoalescer {
  readonly #limit: number;
  #fate: Fate | undefined;
  /** Bytes of the current frame that are still to come. */
  #left = 0;
  #block: Block | undefined;
  #endsBlock = false;
  /** A frame head that came in pieces. */
  readonly #partial = Buffer.alloc(headLength);
  #partialLength = 0;
  readonly #fromClient: boolean;
  /** Bytes at the beginning of the current frame's payload that are to be zero. */
  #zero = 0;
  #acknowledged: "no" | "by us" | "by the peer" = "no";

  /**
   * `preface`: the peer is the client, whose connection preface comes first. `limit`: bytes of the longest header block
   * that is taken.
   */
  constructor(options: { preface: boolean; limit?: number }) {
    this.#limit = Math.min(options.limit ?? maxHeaderBytes, maxHeaderBytes);
    this.#fromClient = options.preface;
    if (options.preface) {
      this.#fate = "pass";
      this.#left = prefaceLength;
    }
  }

  /**
   * Takes a chunk as it was received, and may change it.
   *
   * @throws GrpcError RESOURCE_EXHAUSTED when a header block is over the limit
   */
  push(chunk: Buffer, emit: Emit): void {
    // chunk[start, at) passes, and has not been emitted yet.
    let start = 0;
    let at = 0;
    const flush = () => {
      if (at > start) emit(at - start === chunk.length ? chunk : chunk.subarray(start, at));
      start = at;
    };
    for (;;) {
      if (this.#fate !== undefined) {
        const count = Math.min(this.#left, chunk.length - at);
        if (this.#zero > 0) {
          const zeroed = Math.min(this.#zero, count);
          chunk.fill(0, at, at + zeroed);
          this.#zero -= zeroed;
        }
        at += count;
        this.#left -= count;
        if (this.#block && count > 0) {
          this.#block.fragments.push(chunk.subarray(start, at));
          start = at;
        }
        if (this.#left > 0) break;
        if (this.#fate === "settings") flush();
        this.#endFrame(this.#fate, emit);
      }
      if (at === chunk.length) break;

      let head = chunk;
      let headAt = at;
      const inPieces = this.#partialLength > 0 || chunk.length - at < headLength;
      if (inPieces) {
        flush();
        const count = Math.min(headLength - this.#partialLength, chunk.length - at);
        chunk.copy(this.#partial, this.#partialLength, at, at + count);
        this.#partialLength += count;
        at += count;
        start = at;
        if (this.#partialLength < headLength) break;
        this.#partialLength = 0;
        head = this.#partial;
        headAt = 0;
      }
      const fate = this.#beginFrame(head, headAt, emit);
      if (inPieces) {
        if (fate === "pass" || fate === "settings") emit(Buffer.from(head));
      } else {
        if (fate !== "pass" && fate !== "settings") flush();
        at += headLength;
        if (fate !== "pass" && fate !== "settings") start = at;
      }
    }
    flush();
  }

  #beginFrame(head: Buffer, at: number, emit: Emit): Fate {
    const length = head.readUIntBE(at, 3);
    const type = head.readUInt8(at + 3);
    const flags = head.readUInt8(at + 4);
    const fate = this.#fateOf(type, flags, head.readUInt32BE(at + 5));
    this.#fate = fate;
    this.#left = length;
    // When a grpc-go client closes, its GOAWAY names the last stream that it opened itself, where the last one that we
    // opened belongs (http2_client.go outgoingGoAwayHandler). To nghttp2 that is a protocol error. We open none, so 0 is
    // right.
    this.#zero = this.#fromClient && type === goaway ? Math.min(4, length) : 0;
    if (fate === "begin") {
      const own = Buffer.from(head.subarray(at, at + headLength));
      this.#block = { head: own, fragments: [], length, continuations: 0 };
      this.#endsBlock = false;
    } else if (fate === "continue" && this.#block) {
      this.#block.length += length;
      this.#block.continuations++;
      this.#endsBlock = (flags & endHeadersFlag) !== 0;
    } else if (this.#block) {
      // Any other frame inside a block is the peer's error, which nghttp2 reports when it sees the block unfinished.
      emitBlock(this.#block, false, emit);
      this.#block = undefined;
    }
    if (this.#block && (this.#block.length > this.#limit || this.#block.continuations > maxContinuations)) {
      throw tooLarge(this.#limit);
    }
    return fate;
  }

  #fateOf(type: number, flags: number, stream: number): Fate {
    if (this.#block) {
      const same = type === continuation && stream === this.#block.head.readUInt32BE(5);
      return same ? "continue" : "pass";
    }
    if (type === headers && (flags & endHeadersFlag) === 0) return "begin";
    if (type === settings) {
      if ((flags & ackFlag) === 0) return this.#acknowledged === "no" ? "settings" : "pass";
      const fate = this.#acknowledged === "by us" ? "drop" : "pass";
      this.#acknowledged = "by the peer";
      return fate;
    }
    return "pass";
  }

  #endFrame(fate: Fate, emit: Emit): void {
    this.#fate = undefined;
    if (fate === "settings") {
      emit(Buffer.from([0, 0, 0, settings, ackFlag, 0, 0, 0, 0]));
      this.#acknowledged = "by us";
    } else if (this.#block) {
      if (fate === "begin") dropPadding(this.#block);
      if (this.#endsBlock) {
        emitBlock(this.#block, true, emit);
        this.#block = undefined;
      }
    }
  }
}

/** Removes the padding of the first fragment, which would otherwise end up in the middle of the joined one. */
function dropPadding(block: Block): void {
  const flags = block.head.readUInt8(4);
  if ((flags & paddedFlag) === 0) return;
  const fragment = Buffer.concat(block.fragments);
  const padding = fragment[0] ?? 0;
  // More padding than the frame holds is the peer's error: left as it is, for nghttp2 to report.
  if (1 + padding > fragment.length) return;
  block.head.writeUInt8(flags & ~paddedFlag, 4);
  block.fragments = [fragment.subarray(1, fragment.length - padding)];
  block.length -= 1 + padding;
}

function emitBlock(block: Block, complete: boolean, emit: Emit): void {
  let { fragments, length } = block;
  if (complete) {
    const flags = block.head.readUInt8(4);
    block.head.writeUInt8(flags | endHeadersFlag, 4);
    const whole = Buffer.concat(fragments);
    const skip = flags & priorityFlag ? priorityLength : 0;
    const headers = splitLongValues(whole.subarray(skip));
    fragments = [whole.subarray(0, skip), headers].filter((part) => part.length > 0);
    length = skip + headers.length;
  }
  // Text that was in Huffman code is longer without it.
  if (length > maxHeaderBytes) throw tooLarge(maxHeaderBytes);
  block.head.writeUIntBE(length, 0, 3);
  emit(block.head);
  for (const fragment of fragments) emit(fragment);
}

function tooLarge(limit: number): GrpcError {
  return new GrpcError(
    grpcCodes.resourceExhausted,
    `the peer sent more than ${limit} bytes of headers in one call`,
    {},
    "HTTP2_HEADERS_TOO_LARGE",
  );
}
