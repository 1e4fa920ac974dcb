import { Transform, type TransformCallback } from "node:stream";

const blockBytes = 512;

/** Passes a tar archive on, and finds out what must be known of it before it is believed (POSIX ustar). */
export class ArchiveWatch extends Transform {
  /** Bytes that have come. */
  size = 0;
  #tail: Buffer = Buffer.alloc(0);
  #isEmpty = true;

  /** The archive has come to its end, which two blocks of zeros are. */
  get isWhole(): boolean {
    return isEnd(this.#tail);
  }

  /** Nothing is in it but the directory itself. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const behindFirst = chunk.subarray(Math.max(0, blockBytes - this.size));
    if (this.#isEmpty && !isZero(behindFirst)) this.#isEmpty = false;
    this.size += chunk.length;
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-endBytes)]).subarray(-endBytes);
    done(null, chunk);
  }
}

/** Bytes of an archive's end. */
export const endBytes = 2 * blockBytes;

/** These are the last bytes of a whole archive. */
export function isEnd(tail: Uint8Array): boolean {
  return tail.length === endBytes && isZero(tail);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
