import { ownBytes } from "../../core/index.js";
import { ByteQueue } from "./byte-queue.js";
import { ExportError, protocolError } from "./export-error.js";
import type { ExportTree } from "./export-tree.js";
import { LargeFile, WriteBudget } from "./large-file.js";
import { requestLength, writeRequest } from "./request-packet.js";
import { type ExportFile, writeSmallFile } from "./small-file.js";
import { grpcCodes } from "../../http2/index.js";

/** Up to this size, in bytes, a file is collected in memory and written at once. */
const smallLimit = 256 * 1024;

/** How much is asked for ahead: many small files, to cover the round trip; few large ones, each of which is open. */
const maxRequests = 1024;
const maxSmallBytes = 16 * 1024 * 1024;
const maxLarge = 16;

/** Bytes of large files held back before the stream is stopped. */
const writeBudget = 8 * 1024 * 1024;

/** Memory for files announced but not asked for yet, in bytes: some 5 million of them. */
const maxQueued = 256 * 1024 * 1024;

interface Transfer extends ExportFile {
  received: number;
  /** The content of a small file: a view of its message when that is hardly larger, else a copy. */
  data: Buffer | undefined;
  large: LargeFile | undefined;
}

/**
 * The files of an export that wait for their content: asks for them in the order announced, a bounded number at a time,
 * and writes what comes. Sizes are held to what was announced (SEC-8).
 */
export class FileRequests {
  readonly #tree: ExportTree;
  readonly #send: (framed: Buffer) => void;
  readonly #onFailure: (error: Error) => void;
  readonly #announced = new ByteQueue();
  readonly #transfers = new Map<number, Transfer>();
  readonly #budget = new WriteBudget(writeBudget);
  readonly #finishing = new Set<Promise<void>>();
  #failure: Error | undefined;
  #smallBytes = 0;
  #large = 0;
  #requests = Buffer.allocUnsafe(64 * requestLength);
  #requestsEnd = 0;
  #flushing = false;

  /**
   * @param send takes framed gRPC bytes
   * @param onFailure called when a write fails that nobody waits for
   */
  constructor(tree: ExportTree, send: (framed: Buffer) => void, onFailure: (error: Error) => void) {
    this.#tree = tree;
    this.#send = send;
    this.#onFailure = onFailure;
  }

  /** Files announced whose content has not come in full. */
  get missing(): number {
    return this.#announced.length + this.#transfers.size;
  }

  /** The error of a write that failed while nobody waited for it. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Takes a file to be asked for. */
  announce(id: number, file: ExportFile): void {
    const record = this.#announced.push(26 + file.name.length);
    record.writeUInt32LE(id, 0);
    record.writeUInt32LE(file.parent, 4);
    record.writeUInt16LE(file.mode, 8);
    record.writeDoubleLE(file.size, 10);
    record.writeDoubleLE(file.mtime, 18);
    file.name.copy(record, 26);
    if (this.#announced.bytes > maxQueued) {
      throw new ExportError(
        "SESSION_EXPORT_PROTOCOL",
        "the daemon announces more files than fit into memory",
        {
          grpcCode: grpcCodes.resourceExhausted,
        },
      );
    }
    this.#request();
  }

  /**
   * Takes content of a file; empty content ends it. A promise returned is to be awaited before going on.
   * @throws ExportError
   */
  data(id: number, data: Buffer): Promise<void> | undefined {
    if (this.#failure) throw this.#failure;
    const transfer = this.#transfers.get(id);
    if (!transfer) throw protocolError(`invalid file request ${id}`);
    if (data.length === 0) return this.#complete(id, transfer);
    const received = transfer.received + data.length;
    if (received > transfer.size) {
      throw protocolError(`${this.#name(transfer)} has more bytes than the ${transfer.size} announced`);
    }
    if (transfer.size > smallLimit) {
      if (!transfer.large) transfer.large = new LargeFile(this.#tree, transfer, this.#budget);
      transfer.large.append(ownBytes(data));
    } else if (received === data.length && received === transfer.size) transfer.data = ownBytes(data);
    else {
      transfer.data ??= Buffer.allocUnsafe(transfer.size);
      data.copy(transfer.data, transfer.received);
    }
    transfer.received = received;
    return this.#budget.full ? this.#budget.room() : undefined;
  }

  /** Resolves when all content that came is written. @throws ExportError */
  async settle(): Promise<void> {
    await Promise.all(this.#finishing);
    if (this.#failure) throw this.#failure;
  }

  /** Gives up: removes files that are not complete. */
  async abandon(): Promise<void> {
    const large = [...this.#transfers.values()].map((transfer) => transfer.large?.abandon());
    this.#transfers.clear();
    await Promise.all([...large, ...this.#finishing]);
  }

  #complete(id: number, transfer: Transfer): Promise<void> | undefined {
    if (transfer.received !== transfer.size) {
      throw protocolError(
        `${this.#name(transfer)} ended after ${transfer.received} of the ${transfer.size} bytes announced`,
      );
    }
    this.#transfers.delete(id);
    let wait: Promise<void> | undefined;
    if (transfer.large) {
      this.#finish(transfer.large);
    } else {
      this.#smallBytes -= transfer.size;
      wait = writeSmallFile(this.#tree, transfer, transfer.data ?? noBytes);
    }
    this.#request();
    return wait;
  }

  /** Large files are completed in the background; a failure is reported with the next packet. */
  #finish(file: LargeFile): void {
    const finished = file
      .finish()
      .catch(async (error: unknown) => {
        await file.abandon();
        if (this.#failure) return;
        this.#failure = error as Error;
        this.#onFailure(this.#failure);
      })
      .finally(() => {
        this.#finishing.delete(finished);
        this.#large--;
        if (!this.#failure) this.#request();
      });
    this.#finishing.add(finished);
  }

  #request(): void {
    for (;;) {
      if (this.#transfers.size >= maxRequests) return;
      const record = this.#announced.peek();
      if (!record) return;
      const size = record.readDoubleLE(10);
      if (size > smallLimit) {
        if (this.#large >= maxLarge) return;
        this.#large++;
      } else {
        if (this.#smallBytes + size > maxSmallBytes) return;
        this.#smallBytes += size;
      }
      const id = record.readUInt32LE(0);
      this.#transfers.set(id, {
        parent: record.readUInt32LE(4),
        name: Buffer.from(record.subarray(26)),
        mode: record.readUInt16LE(8),
        size,
        mtime: record.readDoubleLE(18),
        received: 0,
        data: undefined,
        large: undefined,
      });
      this.#announced.drop();
      this.#requestsEnd = writeRequest(this.#requests, this.#requestsEnd, id);
      if (this.#requestsEnd + requestLength > this.#requests.length) this.#flush();
      else this.#flushSoon();
    }
  }

  /** Requests of one turn of the event loop leave in one write. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#requestsEnd === 0) return;
    this.#send(this.#requests.subarray(0, this.#requestsEnd));
    this.#requests = Buffer.allocUnsafe(64 * requestLength);
    this.#requestsEnd = 0;
  }

  #name(file: ExportFile): string {
    return this.#tree.pathOf(file.parent, file.name);
  }
}

const noBytes = Buffer.alloc(0);
