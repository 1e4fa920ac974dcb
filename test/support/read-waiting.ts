import type { Readable } from "node:stream";

/** All bytes that wait in a stream. From Node 26 on one `read()` gives the first chunk only. */
export function readWaiting(stream: Readable): Buffer {
  const chunks: Buffer[] = [];
  for (let chunk = next(stream); chunk !== null; chunk = next(stream)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function next(stream: Readable): Buffer | null {
  return stream.read() as Buffer | null;
}
