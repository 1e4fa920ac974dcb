import { Duplex } from "node:stream";
import { type HeaderList, type StreamHandler, type WireStream, errorCodes, errorName } from "./wire/index.js";

type Callback = (error?: Error | null) => void;

/** Headers by name; the values of a name that comes more than once are joined by `, `. */
export type HeaderFields = Record<string, string>;

/** What waits to be read before the peer is stopped, in bytes beside the stream's window. */
const highWaterMark = 64 * 1024;

/**
 * A call that we make, as a Duplex: what is written goes out as data, and the answer's data is read. Its events beside those
 * of a Duplex are 'response' and 'trailers', each with {@link HeaderFields}; trailers come ahead of data that waits to be read.
 * A reset destroys it without an error: `rstCode` says why. It is what connect-node takes for a stream of node:http2.
 */
export class ClientStream extends Duplex implements StreamHandler {
  /** The HTTP/2 error code; undefined while the call is open. */
  rstCode: number | undefined;
  #wire!: WireStream;
  #sending: Callback | undefined;
  #isAsked = false;

  /** `open` opens the stream with the handler that it is given. */
  constructor(open: (handler: StreamHandler) => WireStream) {
    super({ readableHighWaterMark: highWaterMark });
    this.#wire = open(this);
  }

  onHeaders(list: string[]): void {
    this.emit("response", fieldsOf(list));
  }

  onTrailers(list: string[]): void {
    this.emit("trailers", fieldsOf(list));
  }

  onData(bytes: Buffer): void {
    this.#isAsked = false;
    // Who read meanwhile asks for more in the middle of it, and does not ask again.
    if (!this.push(bytes) && !this.#isAsked) this.#wire.pause();
  }

  onEnd(): void {
    this.push(null);
  }

  onLocalEnd(): void {
    this.#sent();
  }

  onClose(code: number): void {
    this.rstCode = code;
    if (code === errorCodes.NO_ERROR && this.#wire.remoteEnded) {
      // The peer wants nothing more of us: who writes does not wait for it. What has come is read first.
      this.#sent();
      if (this.readableEnded) this.destroy();
      else this.once("end", () => this.destroy());
    } else if (code === errorCodes.ENHANCE_YOUR_CALM) {
      // A peer that is called too often says the same as we do to one that answers too much.
      const text = "the answer has more headers than are taken, or the other side wants fewer calls";
      this.destroy(new Error(`${text} (${errorName(code)})`));
    } else this.destroy();
  }

  /** Resets the call with an error code. */
  close(code: number = errorCodes.NO_ERROR, callback?: () => void): void {
    if (callback) this.once("close", callback);
    this.#wire.reset(code);
    this.destroy();
  }

  override _read(): void {
    this.#isAsked = true;
    this.#wire.resume();
  }

  /**
   * Writes past the Duplex's own queue, for who does nothing else: calls back when the bytes are out, which must not be changed
   * until then, or when the call ends before, which drops them.
   */
  send(chunks: readonly Buffer[], callback: Callback): void {
    if (this.#wire.isClosed) return callback();
    this.#sending = callback;
    this.#wire.write(chunks, this.#onSent);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.send([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: Callback): void {
    if (this.#wire.isClosed) return callback();
    this.#sending = callback;
    this.#wire.end();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#wire.reset(errorCodes.CANCEL);
    // An answer may be complete before what was written is known to be out; and of a reset 'close' tells.
    this.#sent(error ?? undefined);
    callback(error);
  }

  readonly #onSent = (): void => this.#sent();

  #sent(error?: Error): void {
    const callback = this.#sending;
    this.#sending = undefined;
    callback?.(error);
  }
}

function fieldsOf(list: HeaderList): HeaderFields {
  // Node's are without a prototype, too.
  const fields = Object.create(null) as HeaderFields;
  for (let index = 0; index + 1 < list.length; index += 2) {
    const name = list[index] as string;
    const before = fields[name];
    const value = list[index + 1] as string;
    fields[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return fields;
}
