import type { ServerCall } from "../../http2/index.js";
import { grpcCodes } from "../../http2/index.js";
import type { Attachable } from "../attachable.js";
import { readOptions } from "../../core/index.js";
import { fileSendKinds } from "../option-kinds.js";
import type { ExportLimits } from "./directory-receiver.js";
import { ExportError } from "./export-error.js";
import type { ExportTarget } from "./export-target.js";
import { receiveStream } from "./stream-receiver.js";

/** Options of {@link fileSend}. */
export interface FileSendOptions extends ExportLimits {
  /** Called when the daemon begins to send a result. */
  onBegin?(exporterId: number): void;
  /** Called when a result cannot be taken over here, with what is then also the call's status. */
  onFailure?(error: Error, exporterId: number): void;
}

/** Transfers into one directory at a time. A daemon makes one a platform. */
const maxTransfers = 64;

interface Output {
  target: ExportTarget;
  opened: boolean;
  running: number;
}

/**
 * Takes the results that the daemon sends for exporters of type local, tar, oci and docker
 * (moby.filesync.v1.FileSend). Keys are positions in the solve request's list of exporters. A stream target is opened
 * once; a directory takes several transfers side by side, one a platform.
 */
export function fileSend(
  outputs: ReadonlyMap<number, ExportTarget>,
  given: FileSendOptions = {},
): Attachable {
  const options = readOptions("fileSend()", given, fileSendKinds);
  const states = new Map<number, Output>();
  for (const [id, target] of outputs) states.set(id, { target, opened: false, running: 0 });
  return {
    methods: ["/moby.filesync.v1.FileSend/DiffCopy"],
    async handle(call) {
      const id = exporterId(call);
      const output = states.get(id);
      if (!output) {
        throw new ExportError("SESSION_EXPORT_REFUSED", `exporter ${id} not found`, {
          grpcCode: grpcCodes.notFound,
        });
      }
      options.onBegin?.(id);
      try {
        await serve(call, id, output, options);
      } catch (error) {
        // What the daemon or a lost connection has cut off did not fail here.
        if (!call.signal.aborted) options.onFailure?.(error as Error, id);
        throw error;
      }
    },
  };
}

async function serve(call: ServerCall, id: number, output: Output, limits: ExportLimits): Promise<void> {
  const { target } = output;
  if (target.type === "stream" || target.mode === "delete") {
    if (output.opened) {
      throw new ExportError("SESSION_EXPORT_REFUSED", `exporter ${id} was opened already`, {
        grpcCode: grpcCodes.failedPrecondition,
      });
    }
    output.opened = true;
  }
  if (target.type === "stream") {
    await receiveStream(call, target);
    return;
  }
  // With one stream for each platform, each would remove the files of the others.
  if (target.mode === "delete" && call.header("buildkit-exporter-multi-platform") !== "1") {
    throw new ExportError(
      "SESSION_EXPORT_REFUSED",
      "local exporter mode=delete requires a BuildKit daemon with multi-platform local export support",
      { grpcCode: grpcCodes.failedPrecondition },
    );
  }
  if (output.running >= maxTransfers) {
    throw new ExportError("SESSION_EXPORT_REFUSED", `more than ${maxTransfers} transfers to exporter ${id}`, {
      grpcCode: grpcCodes.resourceExhausted,
    });
  }
  output.running++;
  try {
    // Most builds write no directory.
    const { receiveDirectory } = await import("./directory-receiver.js");
    await receiveDirectory(call, target, limits);
  } finally {
    output.running--;
  }
}

/** Absent or not a number counts as 0 (buildkit session/filesync, for daemons that know one exporter only). */
function exporterId(call: ServerCall): number {
  const text = call.header("buildkit-attachable-exporter-id") ?? "";
  return /^\d+$/.test(text) ? Number(text) : 0;
}
