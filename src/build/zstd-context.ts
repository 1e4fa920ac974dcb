import { type Readable, Transform, type TransformCallback, pipeline } from "node:stream";
import { types } from "node:util";
import { InvalidArgumentError, takeHeld } from "../core/index.js";

/** So many bytes tell zstd from anything else. */
const headBytes = 8;

/** Whether a stream begins as zstd does: with a frame or a skippable one (RFC 8878, 3.1; BK util/archiveutil). */
export function isZstd(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const magic = Buffer.from(head.buffer, head.byteOffset, 4).readUInt32LE();
  return magic === 0xfd2fb528 || (head.length >= headBytes && magic >>> 4 === 0x184d2a5);
}

/**
 * Archives for a daemon that takes zstd for a Dockerfile, and complains about its first line: a stream of zstd fails on
 * its first bytes, and `onRefusal` is told why.
 *
 * @throws InvalidArgumentError for bytes of zstd.
 */
export function uploadsWithoutZstd(
  uploads: ReadonlyMap<string, Readable | Uint8Array>,
  onRefusal: (error: Error) => void,
): Map<string, Readable | Uint8Array> {
  const kept = new Map<string, Readable | Uint8Array>();
  for (const [id, archive] of uploads) {
    if (types.isUint8Array(archive)) refuseZstd(archive);
    kept.set(id, types.isUint8Array(archive) ? archive : checked(archive, onRefusal));
  }
  return kept;
}

function checked(archive: Readable, onRefusal: (error: Error) => void): Readable {
  const check = new HeadCheck(onRefusal);
  // Errors are told by the stream to whoever reads it.
  pipeline(takeHeld(archive), check, () => {});
  return check;
}

/** Passes bytes on once the first ones have been seen. */
class HeadCheck extends Transform {
  readonly #onRefusal: (error: Error) => void;
  #head: Buffer | undefined = Buffer.alloc(0);

  constructor(onRefusal: (error: Error) => void) {
    super();
    this.#onRefusal = onRefusal;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (!this.#head) return done(null, chunk);
    this.#head = Buffer.concat([this.#head, chunk]);
    if (this.#head.length < headBytes) return done();
    this.#pass(done);
  }

  override _flush(done: TransformCallback): void {
    this.#pass(done);
  }

  #pass(done: TransformCallback): void {
    const head = this.#head;
    this.#head = undefined;
    try {
      refuseZstd(head ?? Buffer.alloc(0));
      done(null, head);
    } catch (error) {
      // Before the reader hears of it: its callbacks and ours come in another order on each Node.
      this.#onRefusal(error as Error);
      done(error as Error);
    }
  }
}

function refuseZstd(head: Uint8Array): void {
  if (isZstd(head))
    throw new InvalidArgumentError(
      "the current BuildKit daemon does not unpack contexts that are compressed with zstd, please upgrade to version v0.34+, decompress it first, or use gzip, bzip2 or xz",
    );
}
