import { malformed } from "./answer-head.js";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Takes lines out of bytes that come in pieces. */
export class LineReader {
  readonly #mostBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** @param mostBytes of all lines, with what ends them, until the next {@link restart}. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  restart(): void {
    this.#bytes = 0;
  }

  /**
   * The line that ends in `chunk` from `at` on, without its end, and where the next byte is; without a line when it goes on in the
   * next chunk. @throws Http1Error
   */
  take(chunk: Buffer, at: number): { line: string | undefined; next: number } {
    const end = chunk.indexOf(lineFeed, at);
    const next = end < 0 ? chunk.length : end + 1;
    this.#bytes += next - at;
    if (this.#bytes > this.#mostBytes) throw malformed(`headers of more than ${this.#mostBytes} bytes`);
    const piece = chunk.subarray(at, next);
    if (end < 0) {
      // A copy: a piece of a few bytes would keep all that was read with it.
      this.#pieces.push(Buffer.from(piece));
      return { line: undefined, next };
    }
    const whole = this.#pieces.length > 0 ? Buffer.concat([...this.#pieces, piece]) : piece;
    this.#pieces = [];
    if (whole.length < 2 || whole[whole.length - 2] !== carriageReturn)
      throw malformed("a line that does not end in CR and LF");
    return { line: whole.toString("latin1", 0, whole.length - 2), next };
  }
}
