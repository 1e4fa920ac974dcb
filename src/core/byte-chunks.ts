import { types } from "node:util";
import { InvalidArgumentError } from "./errors.js";
import { bytesOf } from "./foreign-data.js";
import { nameOf } from "./kinds.js";

/**
 * What a stream gives, as bytes; texts are UTF-8.
 *
 * @param of names the stream, in errors
 * @throws InvalidArgumentError for anything else in it, and for a stream that was closed before its end; what it fails with itself
 */
export async function* byteChunks(
  stream: AsyncIterable<unknown>,
  of: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of stream) {
      const bytes = types.isUint8Array(chunk) ? chunk : bytesOf(chunk);
      if (!bytes) throw new InvalidArgumentError(`${of} must give bytes, not ${nameOf(chunk)}`);
      yield bytes;
    }
  } catch (error) {
    if (!isPrematureClose(error)) throw error;
    throw new InvalidArgumentError(`${of} was closed before its end`, { cause: error });
  }
}

/** Node's error of a stream that was destroyed without a reason, or with `undefined` for one. */
export function isPrematureClose(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null | undefined)?.code === "ERR_STREAM_PREMATURE_CLOSE";
}
