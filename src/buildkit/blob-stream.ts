import { Readable } from "node:stream";
import type { ClientStream } from "../http2/index.js";
import { AnswerBytes, type AnswerBytesOptions } from "./answer-bytes.js";

/** Field of `ReadContentResponse` that holds the bytes (containerd content.proto). */
const dataField = 2;

/** Bytes that wait to be read before the daemon is stopped. */
const highWaterMark = 1024 * 1024;

/** The answers of Content.Read as one stream of bytes, with back-pressure. A failed call destroys it with the daemon's error. */
export class BlobStream extends Readable {
  readonly #answers: AnswerBytes;

  constructor(
    stream: ClientStream,
    request: Buffer,
    { signal, explain }: Pick<AnswerBytesOptions, "signal" | "explain">,
  ) {
    super({ highWaterMark });
    this.#answers = new AnswerBytes(this, stream, { field: dataField, signal, explain });
    stream.end(request);
  }

  override read(size?: number): unknown {
    const read: unknown = super.read(size);
    this.#answers.afterRead();
    return read;
  }

  override _read(): void {
    this.#answers.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#answers.release();
    callback(error);
  }
}
