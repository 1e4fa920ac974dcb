import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { replayErrors } from "./replay-error.js";

/** Zstd is there since Node 22.15. */
const zlib = () =>
  process.getBuiltinModule("node:zlib") as {
    createGunzip(): Transform;
    createZstdDecompress?: () => Transform;
  };

/** The archive in a layer's blob. @throws ReplayError for a compression that cannot be undone here */
export function unpackLayer(blob: AsyncIterable<Buffer>, mediaType: string): AsyncIterable<Uint8Array> {
  const unpackers = zlib();
  if (/[+.]zstd$/.test(mediaType)) {
    if (!unpackers.createZstdDecompress)
      throw replayErrors.unsupported(
        "comparing layers that are packed with zstd, on this Node (22.15 has it)",
      );
    return through(blob, unpackers.createZstdDecompress());
  }
  if (/[+.]gzip$/.test(mediaType)) return through(blob, unpackers.createGunzip());
  return blob;
}

async function* through(blob: AsyncIterable<Buffer>, unpacker: Transform): AsyncGenerator<Uint8Array> {
  const reading = pipeline(Readable.from(blob, { objectMode: false }), unpacker);
  reading.catch(() => {}); // the loop throws the same
  try {
    for await (const chunk of unpacker) yield chunk as Buffer;
    await reading;
  } finally {
    unpacker.destroy();
    await reading.catch(() => {});
  }
}
