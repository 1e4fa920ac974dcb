import type { Readable, Writable } from "node:stream";

const held = new WeakSet<object>();

/**
 * Takes responsibility for a stream at the moment it is handed over: an error that it has before anybody reads or writes it no
 * longer ends the process. The error stays in the stream (`errored`), where `stream.finished` and pipelines find it. One
 * listener a stream, however often it is held.
 */
export function holdStream<T extends Readable | Writable>(stream: T): T {
  if (held.has(stream)) return stream;
  held.add(stream);
  stream.on("error", ignore);
  return stream;
}

/**
 * Holds a stream that will be read later, as {@link holdStream} does, and its bytes: a child's output is thrown away when the
 * child has ended and nobody listens yet (Node's flushStdio). Reads no more than the stream buffers, and nothing of standard
 * input, which would keep the process alive. {@link takeHeld} is to be called before it is read.
 */
export function holdReadable<T extends Readable>(stream: T): T {
  holdStream(stream);
  if (stream !== (process.stdin as unknown) && stream.readableFlowing === null) stream.on("readable", ignore);
  return stream;
}

/** Lets go of the bytes that {@link holdReadable} holds, for who is about to read them. */
export function takeHeld<T extends Readable>(stream: T): T {
  stream.removeListener("readable", ignore);
  return stream;
}

function ignore(): void {
  // A listener, and no more: see above.
}
