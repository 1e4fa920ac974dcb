import { EngineError } from "./errors.js";

const headerBytes = 8;
const maxErrorText = 64 * 1024;

/** Takes the payload of one frame, in pieces, as views of what was fed. `stream` is 1 (stdout) or 2 (stderr). */
export type StdcopySink = (stream: 1 | 2, data: Buffer) => void;

/**
 * Takes apart the stream an engine multiplexes stdout and stderr into: frames of `[type, 0, 0, 0, length (32 bit,
 * big-endian)]` and payload (moby api/pkg/stdcopy). Payload is passed on as it arrives, as views: nothing is ever
 * allocated by the length a frame declares (SEC-26).
 *
 * Types 0 and 1 are stdout, 2 stderr, 3 an error of the daemon.
 */
export class StdcopyParser {
  readonly #sink: StdcopySink;
  readonly #header = Buffer.alloc(headerBytes);
  #headerLength = 0;
  #type = 0;
  #remaining = 0;
  #errorText = "";

  constructor(sink: StdcopySink) {
    this.#sink = sink;
  }

  /** True when the stream may end here: not inside a frame. */
  get atBoundary(): boolean {
    return this.#remaining === 0 && this.#headerLength === 0;
  }

  /**
   * Takes the next bytes.
   *
   * @throws EngineError `ENGINE_STREAM` for an error frame, `ENGINE_PROTOCOL` for bytes that are no such stream.
   */
  feed(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#remaining > 0) {
        const end = Math.min(chunk.length, offset + this.#remaining);
        this.#remaining -= end - offset;
        this.#payload(chunk.subarray(offset, end));
        offset = end;
        continue;
      }
      if (this.#headerLength === 0 && chunk.length - offset >= headerBytes) {
        this.#startFrame(chunk, offset);
        offset += headerBytes;
        continue;
      }
      const end = Math.min(chunk.length, offset + headerBytes - this.#headerLength);
      this.#headerLength += chunk.copy(this.#header, this.#headerLength, offset, end);
      offset = end;
      if (this.#headerLength === headerBytes) {
        this.#headerLength = 0;
        this.#startFrame(this.#header, 0);
      }
    }
  }

  /** The error of a daemon whose last words were cut off by the end of the stream, if it was in them. */
  endError(): EngineError | undefined {
    return this.#type === 3 && this.#remaining > 0 ? this.#daemonError() : undefined;
  }

  #startFrame(bytes: Buffer, at: number): void {
    const type = bytes[at] ?? 0;
    if (type > 3) throw new EngineError("ENGINE_PROTOCOL", `unrecognized stream: ${type}`);
    if ((bytes[at + 1] ?? 0) | (bytes[at + 2] ?? 0) | (bytes[at + 3] ?? 0)) {
      throw new EngineError(
        "ENGINE_PROTOCOL",
        "malformed frame in the engine's stream: reserved bytes are not zero",
      );
    }
    this.#type = type;
    this.#remaining = bytes.readUInt32BE(at + 4);
    if (type === 3 && this.#remaining === 0) throw this.#daemonError();
  }

  #payload(data: Buffer): void {
    if (this.#type !== 3) {
      this.#sink(this.#type === 2 ? 2 : 1, data);
      return;
    }
    if (this.#errorText.length < maxErrorText) this.#errorText += data.toString("utf8");
    if (this.#remaining === 0 || this.#errorText.length >= maxErrorText) throw this.#daemonError();
  }

  #daemonError(): EngineError {
    const text = this.#errorText.slice(0, maxErrorText);
    return new EngineError("ENGINE_STREAM", `error from daemon in stream: ${text}`, { engineMessage: text });
  }
}
