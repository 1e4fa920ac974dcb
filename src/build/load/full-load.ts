import { PassThrough, Writable } from "node:stream";
import { type EventSink, type VertexWriter, isError, withVertex } from "../../core/index.js";
import type { EngineClient } from "../../engine-api/index.js";
import type { ArchiveGuard } from "./archive-guard.js";

/** How many bytes of an archive wait for the engine, at most. */
const feedBytes = 1 << 20;

/** Options of {@link loadImage}. */
export interface FullLoadOptions {
  guard: ArchiveGuard;
  /** Is told what the archive held ({@link ArchiveGuard.end}), when all of it has come. */
  onEnd?: ((digests: ReadonlySet<string>) => void) | undefined;
  sink?: EventSink | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * A writable that streams an image archive into the engine's `POST /images/load`, with back-pressure and without a
 * temporary file, past a guard that has looked at all that names the image. It finishes when the engine has read the archive and answered without an error; an archive of no
 * bytes is an error (FLT-23). The vertex `importing to docker` begins with the first byte.
 */
export function loadImage(engine: EngineClient, { guard, onEnd, sink, signal }: FullLoadOptions): Writable {
  const feed = new PassThrough({ highWaterMark: feedBytes });
  // What destroys it is told by the writer; the engine's client may not listen yet, or not any more.
  feed.on("error", () => {});
  let loading: Promise<void> | undefined;
  const start = () => {
    loading ??= withVertex(sink, "importing to docker", (vertex) => load(engine, feed, vertex, signal));
    loading.catch((error: unknown) => {
      const reason = isError(error) ? error : new Error(String(error));
      feed.destroy();
      writer.destroy(reason);
    });
    return loading;
  };
  const writer = new Writable({
    highWaterMark: feedBytes,
    write(chunk: Buffer, _encoding, done) {
      void start();
      let pieces: Uint8Array[];
      try {
        pieces = guard.push(chunk);
      } catch (error) {
        done(error as Error);
        return;
      }
      // All of them: the feed takes more than it wants, and says so.
      if (pieces.map((piece) => feed.write(piece)).every(Boolean)) done();
      else feed.once("drain", () => done());
    },
    final(done) {
      const loaded = start();
      try {
        const digests = guard.end();
        onEnd?.(digests);
      } catch (error) {
        done(error as Error);
        return;
      }
      feed.end();
      // A callback, since streams of Node 20 take no promise here.
      void finishWith(loaded, done);
    },
    destroy(error, done) {
      feed.destroy(error ?? undefined);
      done(error);
    },
  });
  return writer;
}

async function load(
  engine: EngineClient,
  archive: PassThrough,
  vertex: VertexWriter,
  signal: AbortSignal | undefined,
): Promise<void> {
  await engine.images.load(archive, {
    signal,
    onProgress({ status, id, progressDetail }) {
      if (!status || !id) return;
      const { current = 0, total = 0 } = progressDetail ?? {};
      vertex.progress(`${status === "Loading layer" ? "loading layer" : status.toLowerCase()} ${id}`, {
        current,
        total,
        done: total > 0 && current >= total,
      });
    },
  });
}

async function finishWith(work: Promise<void>, done: (error?: Error | null) => void): Promise<void> {
  let failure: Error | undefined;
  try {
    await work;
  } catch (error) {
    failure = error as Error;
  }
  done(failure);
}
