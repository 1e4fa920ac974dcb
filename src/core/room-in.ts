import { once } from "node:events";
import type { Writable } from "node:stream";

/** Waits until a stream that was full takes more, or is closed. @throws what the stream fails with meanwhile */
export async function roomIn(stream: Writable): Promise<void> {
  const over = new AbortController();
  const options = { signal: over.signal };
  try {
    await Promise.race([once(stream, "drain", options), once(stream, "close", options)]);
  } finally {
    over.abort();
  }
}
