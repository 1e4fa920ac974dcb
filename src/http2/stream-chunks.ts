import { type ChunkReader, readChunks } from "./chunk-reader.js";
import type { ClientStream } from "./client-stream.js";
import { Http2Error } from "./http2-error.js";
import { errorCodes, errorName } from "./wire/index.js";

/**
 * The bytes of a call's answer, chunk by chunk, with back-pressure; it reads from the call on. Throws the stream's
 * error, and when the stream was reset or closed before its end.
 *
 * Replaces the stream's own iterator. From Node 24.20 and 26.3 on, that one takes a stream whose call is over for one
 * that was cut off, even while all of its bytes wait to be read (nodejs/node 65677). Every short answer that arrives in
 * one packet looks like this.
 */
export function streamChunks(stream: ClientStream): AsyncGenerator<Buffer, void, undefined> {
  const broken = new AbortController();
  const onClose = () => {
    // A reset ends the reading too.
    if (stream.readableEnded && !stream.rstCode) return;
    const { rstCode = errorCodes.NO_ERROR } = stream;
    const text = `the stream was closed before its end (${errorName(rstCode)})`;
    broken.abort(stream.errored ?? new Http2Error("HTTP2_LOST", text, { errorCode: rstCode }));
  };
  stream.once("error", onClose);
  stream.once("end", onClose);
  if (stream.destroyed) onClose();
  else stream.once("close", onClose);
  return read(readChunks(stream, broken.signal));
}

async function* read(reader: ChunkReader): AsyncGenerator<Buffer, void, undefined> {
  try {
    for (let chunks = await reader.next(); chunks; chunks = await reader.next()) yield* chunks;
  } finally {
    reader.discard();
  }
}
