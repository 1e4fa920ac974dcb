import { isSlipwayError, messageOf, nextTurn } from "../../core/index.js";
import { type ByteString, type TreeWalker, displayPath, isRegular } from "../../fs/index.js";
import type { ServerCall } from "../../http2/index.js";
import { PacketDecoder } from "../fsutil/packet-decoder.js";
import { errorPacket, finPacket, packetTypes } from "../fsutil/packet.js";
import { type AnnouncedFile, AnnouncedFiles, PathBuilder } from "./announced-files.js";
import type { OpenFileAt } from "./file-reader.js";
import { PacketWriter } from "./packet-writer.js";
import { type FileChunk, ReadAhead } from "./read-ahead.js";
import { SyncError, protocolError } from "./sync-error.js";

/** Files up to this size are read synchronously: measured, that takes less than half the CPU time of the thread pool. */
const smallFile = 64 * 1024;
/** How long one turn may hold the event loop for either of its two jobs, in milliseconds. */
const jobSlice = 4;

/** What has been sent so far. */
export interface SyncProgress {
  /** Bytes of file data. */
  bytes: number;
  /** Files whose data went out. */
  files: number;
  /** Entries announced. */
  entries: number;
}

/** Callbacks of {@link TreeSender}; they must not throw. */
export interface SenderHooks {
  onProgress?: ((progress: SyncProgress) => void) | undefined;
  onSocket?: ((path: ByteString) => void) | undefined;
  /** Told of each file before it is announced. */
  onFile?: ((path: ByteString, mtimeNs: bigint) => void) | undefined;
}

/**
 * The sending side of fsutil (send.go): announces a tree and serves the data that is asked for, at the same time.
 *
 * One loop does both in turns of at most 8 ms, small files synchronously and straight into the outgoing batch, large
 * ones read ahead on the thread pool. A second one only reads requests, since the builder must never wait for us to
 * read while we wait for it.
 */
export class TreeSender {
  readonly #call: ServerCall;
  readonly #walker: TreeWalker;
  readonly #openFile: OpenFileAt;
  readonly #hooks: SenderHooks;
  readonly #writer: PacketWriter;
  readonly #large: ReadAhead;
  readonly #announced = new AnnouncedFiles();
  readonly #paths = new PathBuilder();
  /** Ids of files. */
  readonly #requests: number[] = [];
  #nextRequest = 0;
  #nextId = 0;
  #walked = false;
  #finished = false;
  #failure: { error: unknown } | undefined;
  #chunk: FileChunk | undefined;
  #reading = false;
  #wake: (() => void) | undefined;
  readonly #progress: SyncProgress = { bytes: 0, files: 0, entries: 0 };

  constructor(call: ServerCall, walker: TreeWalker, openFile: OpenFileAt, hooks: SenderHooks = {}) {
    this.#call = call;
    this.#walker = walker;
    this.#openFile = openFile;
    this.#hooks = hooks;
    this.#writer = new PacketWriter(call);
    this.#large = new ReadAhead(openFile);
  }

  /**
   * Sends the tree; resolves when the builder has all it wants.
   * @throws SyncError, WalkError for what cannot be sent, after the builder was told; the call's own failure.
   */
  async run(): Promise<void> {
    this.#receive().catch((error: unknown) => this.#fail(error));
    try {
      await this.#pump();
      this.#writer.packet(finPacket());
      this.#report();
    } catch (error) {
      if (!this.#call.signal.aborted && !isSlipwayError(error, "SESSION_SYNC_REMOTE")) {
        this.#writer.packet(errorPacket(messageOf(error)));
      }
      throw error;
    } finally {
      this.#large.close(this.#reading);
      this.#walker.close();
    }
  }

  async #pump(): Promise<void> {
    for (let walkFirst = true; ; walkFirst = !walkFirst) {
      if (this.#failure) throw this.#failure.error;
      if (this.#finished) return;
      if (walkFirst) this.#announce();
      this.#serve();
      if (!walkFirst) this.#announce();
      await this.#writer.settle();
      this.#large.buffers.settled(this.#writer.written);
      this.#report();
      const busy = !this.#walked || this.#nextRequest < this.#requests.length || this.#chunk !== undefined;
      if (!busy) await this.#idle();
      // Also after a rest: requests come in one by one within a turn of the event loop, and are to share a write.
      await nextTurn();
    }
  }

  /** Walks on for a while. */
  #announce(): void {
    if (this.#walked) return;
    const deadline = performance.now() + jobSlice;
    while (!this.#writer.isFull) {
      const entry = this.#walker.next(deadline);
      if (entry === "pause") return;
      if (entry === undefined) {
        this.#walked = true;
        this.#writer.endOfListing();
        return;
      }
      const id = this.#nextId++;
      if (isRegular(entry.mode)) {
        this.#announced.add(id, entry);
        this.#hooks.onFile?.(entry.path, entry.stat.mtimeNs);
      }
      if (entry.socket) this.#hooks.onSocket?.(entry.path);
      this.#writer.stat(entry);
      this.#progress.entries++;
      if ((id & 15) === 0 && performance.now() > deadline) return;
    }
  }

  /** Serves requests for a while: all small files that fit, and what was read of large ones. */
  #serve(): void {
    const deadline = performance.now() + jobSlice;
    this.#sendChunk();
    while (this.#nextRequest < this.#requests.length && !this.#writer.isFull) {
      const file = this.#announced.take(this.#requests[this.#nextRequest++] as number);
      const path = this.#paths.pathOf(file.dir, file.name);
      if (file.size > smallFile) {
        this.#large.add(file, path);
        this.#readOn();
      } else {
        this.#sendSmall(file, path);
      }
      if (performance.now() > deadline) break;
    }
    if (this.#nextRequest === this.#requests.length || this.#nextRequest > 4096) {
      this.#requests.splice(0, this.#nextRequest);
      this.#nextRequest = 0;
    }
  }

  #sendSmall(file: AnnouncedFile, path: ByteString): void {
    const { id, size, socket } = file;
    // A socket cannot be opened: it was announced as an empty file, and as such it is served (FLT-58).
    const opened = socket ? undefined : this.#openFile(file, path);
    try {
      this.#writer.smallFile({
        id,
        size,
        fill: (target, at) => {
          opened?.readSync(target, at, size);
          opened?.verify();
        },
      });
      if (size === 0) opened?.verify();
    } finally {
      opened?.close();
    }
    this.#progress.bytes += size;
    this.#progress.files++;
  }

  #sendChunk(): void {
    const chunk = this.#chunk;
    if (!chunk || this.#writer.isFull) return;
    this.#chunk = undefined;
    this.#writer.framed(chunk.frame);
    this.#large.buffers.giveBack(chunk.buffer, this.#writer.written);
    this.#readOn();
    this.#progress.bytes += chunk.length;
    if (chunk.last) this.#progress.files++;
  }

  /** Starts reading the next piece of a large file, unless one is being read or waits to be sent. */
  #readOn(): void {
    if (this.#reading || this.#chunk || !this.#large.hasWork) return;
    this.#reading = true;
    void this.#readNext();
  }

  async #readNext(): Promise<void> {
    // In one step: a turn of the pump between the two would take the chunk and find a read still under way, and nobody
    // would start the next one.
    try {
      this.#chunk = await this.#large.next();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#reading = false;
      this.#signal();
    }
  }

  async #receive(): Promise<void> {
    const packet = new PacketDecoder(protocolError);
    for await (const message of this.#call.messages()) {
      packet.decode(message);
      const { type, id } = packet;
      if (type === packetTypes.request) {
        if (!this.#announced.ask(id)) throw protocolError(`invalid file id ${id}`);
        this.#requests.push(id);
      } else if (type === packetTypes.fin) {
        this.#finished = true;
      } else if (type === packetTypes.error) {
        const text = displayPath(packet.data.toString("latin1"));
        throw new SyncError("SESSION_SYNC_REMOTE", `error from receiver: ${text}`);
      } else {
        throw protocolError(`unexpected packet of type ${type}`);
      }
      this.#signal();
      if (this.#finished) return;
    }
    throw protocolError("the builder ended the transfer early");
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#signal();
  }

  #signal(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #idle(): Promise<void> {
    if (this.#failure || this.#finished || this.#chunk) return Promise.resolve();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #report(): void {
    this.#hooks.onProgress?.({ ...this.#progress });
  }
}
