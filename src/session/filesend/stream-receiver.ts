import { abortError } from "../../core/index.js";
import { type ServerCall, grpcCodes } from "../../http2/index.js";
import { SessionError } from "../session-error.js";
import type { StreamTarget } from "./export-target.js";

/** Headers that describe the result begin so (buildkit session/filesync). */
const metadataPrefix = "exporter-md-";

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
  const closed = new Promise<void>((resolve) => sink.once("close", resolve));
  let failure: Error | undefined;
  // Kept here, since standard output takes its end back at once: it is never finished for good (Node's _undestroy).
  let finished = false;
  let wake: (() => void) | undefined;
  const stirred = () => wake?.();
  const onAbort = () => sink.destroy(abortError(call.signal));
  sink.on("error", (error) => {
    failure = error;
  });
  sink.once("finish", () => (finished = true));
  sink.on("drain", stirred).on("finish", stirred).on("close", stirred);
  call.signal.addEventListener("abort", onAbort, { once: true });
  /** Waits for the next thing to happen to the stream, until `reached`; throws when it failed or was closed before. */
  const until = async (reached: () => boolean): Promise<void> => {
    while (!reached()) {
      if (failure) throw failure;
      if (sink.closed) throw new SessionError("SESSION_EXPORT_INCOMPLETE", "the output was closed early");
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  try {
    for await (const chunk of call.bytesField()) {
      if (!sink.write(chunk)) await until(() => !sink.writableNeedDrain && !sink.destroyed);
    }
    sink.end();
    await until(() => finished);
  } catch (error) {
    sink.destroy(error as Error);
    await closed;
    throw failure ?? error;
  } finally {
    call.signal.removeEventListener("abort", onAbort);
  }
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
