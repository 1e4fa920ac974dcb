import type { Readable } from "node:stream";
import { EngineError } from "./errors.js";

/** Largest JSON answer that is accepted, in bytes (SEC-56). */
export const maxJsonBytes = 16 * 1024 * 1024;

/** Reads a stream to its end. @throws EngineError `ENGINE_TOO_LARGE` beyond `limit` bytes; the stream is then destroyed. */
export async function collect(source: Readable, limit: number = maxJsonBytes): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) {
      throw new EngineError("ENGINE_TOO_LARGE", `the engine's answer is longer than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
