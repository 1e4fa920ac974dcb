import { basename } from "node:path/posix";
import { Readable } from "node:stream";
import { types } from "node:util";
import { InvalidArgumentError, byteChunks, holdStream, readOptions, takeHeld } from "../core/index.js";
import { frameHead, grpcCodes, type ServerCall } from "../http2/index.js";
import type { Attachable } from "./attachable.js";
import { uploadKinds } from "./option-kinds.js";
import { SessionError } from "./session-error.js";

/** Below the 4 MiB that older daemons take, and what one write should have at most. */
const messageBytes = 1024 * 1024;

/**
 * Serves bytes to the builder as `http://buildkit-session/<id>`: a context that comes as an archive
 * (moby.upload.v1.Upload). Each id can be pulled once, as a stream can be read only once; a source that is not pulled is
 * left alone.
 *
 * @param onError called with the error of a source; the builder reports only that the source ended
 */
export function upload(
  sources: ReadonlyMap<string, Readable | Uint8Array>,
  options: { onError?: (error: Error) => void } = {},
): Attachable {
  const { onError } = readOptions("upload()", options, uploadKinds);
  const pulled = new Set<string>();
  for (const source of sources.values()) {
    // A source that fails before it is asked for reports its error when it is.
    if (!types.isUint8Array(source)) holdStream(source);
  }
  return {
    methods: ["/moby.upload.v1.Upload/Pull"],
    async handle(call) {
      const id = basename(call.header("urlpath") ?? "");
      const source = sources.get(id);
      if (source === undefined || pulled.has(id)) {
        throw new SessionError("SESSION_NOT_FOUND", `no http response from session for ${id}`, {
          grpcCode: grpcCodes.notFound,
        });
      }
      pulled.add(id);
      const stream = types.isUint8Array(source) ? Readable.from([source]) : takeHeld(source);
      try {
        await send(stream, call);
      } catch (error) {
        const failure = error instanceof InvalidArgumentError ? error : stream.errored;
        if (failure && !call.signal.aborted) onError?.(failure);
        throw error;
      }
    },
  };
}

async function send(source: Readable, call: ServerCall): Promise<void> {
  const { signal } = call;
  const onAbort = () => source.destroy(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    // Leaving the loop by an error destroys the source.
    for await (const bytes of byteChunks(source, "the stream of an archive")) {
      for (let at = 0; at < bytes.length; at += messageBytes) {
        const payload = bytes.subarray(at, at + messageBytes);
        if (!call.write([frameHead(payload.length), payload])) await call.drained();
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
