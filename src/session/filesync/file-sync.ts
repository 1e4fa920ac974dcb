import { guardCalls, isError, readOptions } from "../../core/index.js";
import { type ByteString, TreeFilter, TreeWalker, displayPath, toText } from "../../fs/index.js";
import { grpcCodes, type ServerCall } from "../../http2/index.js";
import type { Attachable } from "../attachable.js";
import { fileSyncKinds } from "../option-kinds.js";
import { readSyncRequest } from "./request-options.js";
import { SyncError } from "./sync-error.js";
import { type SyncedDir, dirOpener } from "./synced-dir.js";
import { type SyncProgress, TreeSender } from "./tree-sender.js";

/**
 * Options of {@link fileSync}. A callback that throws, or rejects, is not called again, and fails the transfer at its
 * end.
 */
export interface FileSyncOptions {
  /** Told about each transfer, at most once per turn of the event loop, with totals since its start. */
  onProgress?: (dirName: string, progress: SyncProgress) => unknown;
  /** Told about what is sent otherwise than it is on disk: sockets, and changes when `onRace` is `warn`. */
  onWarning?: (message: string) => unknown;
  /** Told why a transfer failed, before the builder's own error arrives by way of the build. */
  onError?: (error: Error, dirName: string) => unknown;
  /**
   * What to do about a file that grew or whose times moved while it was sent; default `error`. With `warn` as many bytes
   * are sent as were announced.
   */
  onRace?: "error" | "warn";
  /** Told at the end of each transfer that had files which were not changed since, how many there were, and one of them. */
  onOlder?: { than: Date; told: (dirName: string, count: number, path: string) => unknown };
}

/**
 * Serves local directories to the builder (`moby.filesync.v1.FileSync`), as buildkit's NewFSSyncProvider. Names that
 * are not in the map are refused with NOT_FOUND. TarStream is not offered: no builder uses it.
 */
export function fileSync(dirs: ReadonlyMap<string, SyncedDir>, given: FileSyncOptions = {}): Attachable {
  const options = readOptions("fileSync()", given, fileSyncKinds);
  const openers = new Map([...dirs].map(([name, dir]) => [name, dirOpener(dir)]));
  const { onRace = "error", onOlder } = options;

  async function send(call: ServerCall): Promise<void> {
    const request = readSyncRequest(call);
    const name = toText(request.dirName);
    const opener = openers.get(name);
    if (!opener) {
      const shown = displayPath(request.dirName);
      throw new SyncError("SESSION_SYNC_REFUSED", `no access allowed to dir "${shown}"`, {
        grpcCode: grpcCodes.notFound,
      });
    }
    const { attempt, throwIfFailed } = guardCalls();
    const warn = (text: string) => (path: ByteString) =>
      void attempt(() => options.onWarning?.(`${text}: ${displayPath(path)}`));
    let close = () => {};
    try {
      const race = onRace === "error" ? onRace : warn("changed during upload");
      const opened = await opener(race);
      close = () => opened.close();
      const { tree, openFile } = opened;
      const walker = new TreeWalker(tree, new TreeFilter(tree, request));
      const older = onOlder && new OlderFiles(onOlder.than);
      const hooks = {
        onProgress:
          options.onProgress &&
          ((progress: SyncProgress) => void attempt(() => options.onProgress?.(name, progress))),
        onSocket: warn("sending a socket as an empty file"),
        onFile: older?.onFile,
      };
      await new TreeSender(call, walker, openFile, hooks).run();
      if (older && older.count > 0)
        void attempt(() => onOlder?.told(name, older.count, displayPath(older.first)));
      throwIfFailed();
    } catch (error) {
      if (isError(error) && !call.signal.aborted) void attempt(() => options.onError?.(error, name));
      throw error;
    } finally {
      close();
    }
  }

  return { methods: ["/moby.filesync.v1.FileSync/DiffCopy"], handle: send };
}

/** Counts files that are older than a time. */
class OlderFiles {
  count = 0;
  /** Empty as long as there is none. */
  first: ByteString = "";
  readonly #thanNs: bigint;

  constructor(than: Date) {
    this.#thanNs = BigInt(than.getTime()) * 1_000_000n;
  }

  readonly onFile = (path: ByteString, mtimeNs: bigint): void => {
    if (mtimeNs >= this.#thanNs) return;
    if (this.count === 0) this.first = path;
    this.count++;
  };
}
