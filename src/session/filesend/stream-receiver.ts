import { type Writable, finished as whenFinished } from "node:stream";
import { abortError, holdStream, isPrematureClose } from "../../core/index.js";
import { type ServerCall, grpcCodes } from "../../http2/index.js";
import { SessionError } from "../session-error.js";
import type { StreamTarget } from "./export-target.js";

/** Headers that describe the result begin so (buildkit session/filesync). */
const metadataPrefix = "exporter-md-";

/** How long a stream may take to be destroyed, in ms. */
const destroyMilliseconds = 2_000;

/**
 * Takes a result that comes as one stream of bytes (`BytesMessage`s) into a target's stream, no faster than that takes
 * it: the daemon is stopped by HTTP/2's windows meanwhile (MEM-3). When the target does not want it, the call ends with
 * AlreadyExists, which the daemon takes for success (buildkit exporter/oci/export.go).
 *
 * @throws what the target's stream failed with; or the signal's reason, after the stream was destroyed
 */
export async function receiveStream(call: ServerCall, target: StreamTarget): Promise<void> {
  const sink = await target.open(metadataOf(call), call.signal);
  if (!sink) {
    call.end({ code: grpcCodes.alreadyExists, message: "target already exists" });
    return;
  }
  holdStream(sink);
  let failure: Error | undefined;
  // Kept here, since standard output takes its end back at once: it is never finished for good (Node's _undestroy).
  let finished = false;
  let wake: (() => void) | undefined;
  const stirred = () => wake?.();
  const onAbort = () => {
    sink.destroy(abortError(call.signal));
    stirred();
  };
  const onError = (error: Error) => {
    failure = error;
    stirred();
  };
  const onFinish = () => {
    finished = true;
    stirred();
  };
  sink.on("error", onError).on("finish", onFinish).on("drain", stirred).on("close", stirred);
  call.signal.addEventListener("abort", onAbort, { once: true });
  /** Waits for the next thing to happen to the stream, until `reached`; throws when it failed or was closed before. */
  const until = async (reached: () => boolean): Promise<void> => {
    while (!reached()) {
      const error = failure ?? sink.errored;
      if (error) throw error;
      if (call.signal.aborted) throw abortError(call.signal);
      // A caller's stream may have been destroyed long ago: no event tells of it any more.
      if (sink.closed || sink.destroyed) throw closedEarly();
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  try {
    if (sink.writableEnded || sink.destroyed) throw sink.errored ?? closedEarly();
    for await (const chunk of call.bytesField()) {
      if (!sink.write(chunk)) await until(() => !sink.writableNeedDrain && !sink.destroyed);
    }
    sink.end();
    await until(() => finished);
  } catch (error) {
    sink.destroy(error as Error);
    await destroyed(sink);
    const reason = failure ?? error;
    // A web stream that was closed says no more than that.
    throw isPrematureClose(reason) ? closedEarly(reason) : reason;
  } finally {
    sink.off("error", onError).off("finish", onFinish).off("drain", stirred).off("close", stirred);
    call.signal.removeEventListener("abort", onAbort);
  }
}

function closedEarly(cause?: unknown): SessionError {
  return new SessionError("SESSION_EXPORT_INCOMPLETE", "the output was closed early", { cause });
}

/** Waits until a stream is closed. Returns at once for one that is closed already, and gives up after a while. */
function destroyed(sink: Writable): Promise<void> {
  if (sink.closed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, destroyMilliseconds);
    whenFinished(sink, { readable: false }, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** What the headers say about the result; several values of one key are joined by commas, as buildkit does. */
function metadataOf(call: ServerCall): Map<string, string> {
  const metadata = new Map<string, string>();
  for (const name of call.headerNames()) {
    if (name.startsWith(metadataPrefix)) {
      metadata.set(name.slice(metadataPrefix.length), call.headerValues(name).join(","));
    }
  }
  return metadata;
}
