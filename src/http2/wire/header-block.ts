import { GrpcError, grpcCodes } from "../grpc-error.js";
import { errorCodes, frameFlags } from "./codes.js";
import { entryOverhead, type HeaderDecoder } from "./header-decoder.js";
import { ProtocolViolation } from "./protocol-violation.js";

/** Most CONTINUATION frames of a block: only someone who wants to make us work sends more (CVE-2024-28182). */
const maxContinuations = 8192;
/** Characters of a name, which is in lower case (RFC 9113, 8.2.1). */
const fieldName = /^:?[a-z0-9!#$%&'*+\-.^_`|~]+$/;
// A character class of control characters is what is meant.
// oxlint-disable-next-line no-control-regex
const forbidden = /[\0\r\n]/;

/** A list of headers: names and values in turn. */
export interface Headers {
  list: string[];
  /** As SETTINGS_MAX_HEADER_LIST_SIZE counts it. */
  bytes: number;
  /** Why its stream has to be reset: it is longer than we take, and not whole, or has what HTTP does not know. */
  refusal: number | undefined;
}

/** A HEADERS frame and its CONTINUATION frames on their way. */
export class HeaderBlock {
  readonly stream: number;
  readonly endsStream: boolean;
  #parts: Buffer[];
  #length: number;
  #continuations = 0;
  readonly #limit: number;

  /** `payload` is that of a HEADERS frame, with its padding and priority; `limit` counts bytes of the block and of its list. */
  constructor(stream: number, flags: number, payload: Buffer, limit: number) {
    this.stream = stream;
    this.endsStream = (flags & frameFlags.endStream) !== 0;
    this.#limit = limit;
    const fragment = stripped(payload, flags);
    this.#parts = [fragment];
    this.#length = fragment.length;
  }

  /** @throws GrpcError RESOURCE_EXHAUSTED when there is too much */
  continue(payload: Buffer): void {
    this.#parts.push(payload);
    this.#length += payload.length;
    if (this.#length > this.#limit || ++this.#continuations > maxContinuations) throw tooLarge(this.#limit);
  }

  /** Goes through all of it, also where it is refused: it changes the decoder's table. @throws ProtocolViolation */
  decode(decoder: HeaderDecoder): Headers {
    const headers: Headers = { list: [], bytes: 0, refusal: undefined };
    const [first = Buffer.alloc(0), ...more] = this.#parts;
    decoder.decode(more.length === 0 ? first : Buffer.concat(this.#parts), (name, value) => {
      headers.bytes += name.length + value.length + entryOverhead;
      if (headers.bytes > this.#limit) headers.refusal = errorCodes.ENHANCE_YOUR_CALM;
      else if (!fieldName.test(name) || forbidden.test(value)) headers.refusal = errorCodes.PROTOCOL_ERROR;
      if (headers.refusal === undefined) headers.list.push(name, value);
    });
    return headers;
  }
}

function stripped(payload: Buffer, flags: number): Buffer {
  const isPadded = (flags & frameFlags.padded) !== 0;
  const start = (isPadded ? 1 : 0) + (flags & frameFlags.priority ? 5 : 0);
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (start > end) throw new ProtocolViolation("a frame has more padding than bytes");
  return payload.subarray(start, end);
}

function tooLarge(limit: number): GrpcError {
  return new GrpcError(
    grpcCodes.resourceExhausted,
    `the peer sent more than ${limit} bytes of headers in one call`,
    {},
    "HTTP2_HEADERS_TOO_LARGE",
  );
}
